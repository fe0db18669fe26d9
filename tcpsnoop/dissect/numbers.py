"""Numbers by which a header announces the next: link types, EtherTypes, IP protocols, ports."""

from __future__ import annotations

# LINKTYPE_ numbers (tcpdump.org/linktypes.html); 12 and 14 are raw IP in files of systems that
# wrote their own DLT_RAW.
NULL = 0
ETHERNET = 1
ARCNET_BSD = 7
PPP_BARE = 9
FDDI = 10
RAW_BSD = 12
RAW_OPENBSD = 14
PPP_SERIAL = 50
PPP_ETHERNET = 51
RAW = 101
HDLC = 104
WIRELESS = 105
LOOP = 108
COOKED_V1 = 113
RADIOTAP = 127
ARCNET_LINUX = 129
PPP_PPPD = 166
PPI = 192
PPP_WITH_DIRECTION = 204
HDLC_WITH_DIRECTION = 205
RAW_IPV4 = 228
RAW_IPV6 = 229
NFLOG = 239
IPOIB = 242
PKTAP = 258
MPACKET = 274
COOKED_V2 = 276

# What comes next is one number, a kind: an EtherType, or this plus a link type. A negative one is
# the complement of the packet's verdict: nothing comes.
LINK = 1 << 16
BY_VERSION = LINK + RAW  # IP, its version says which

# EtherTypes (IEEE registration authority). A number up to LARGEST_LENGTH is none, but the length of
# a frame that goes on with LLC.
LLC = 0
LARGEST_LENGTH = 1500
IPV4 = 0x0800
IPV6 = 0x86DD
TRANSPARENT_ETHERNET = 0x6558  # a whole frame (RFC 1701)
CUSTOMER_TAG = 0x8100
SERVICE_TAG = 0x88A8
OLD_TAG = 0x9100  # this and the next from before 802.1ad had a number
OLD_INNER_TAG = 0x9200
INSTANCE_TAG = 0x88E7  # 802.1ah, provider backbone bridges
MPLS = 0x8847
MPLS_MULTICAST = 0x8848
PPPOE_SESSION = 0x8864
PPP = 0x880B
ERSPAN = 0x88BE  # types I and II
ERSPAN_III = 0x22EB

# Protocol and next header numbers (IANA).
HOP_BY_HOP = 0
ICMP = 1
IPV4_IN_IP = 4
TCP_PROTOCOL = 6
UDP = 17
IPV6_IN_IP = 41
ROUTING = 43
FRAGMENT_HEADER = 44
GRE = 47
AUTHENTICATION = 51
ICMPV6 = 58
DESTINATION_OPTIONS = 60
MOBILITY = 135
HOST_IDENTITY = 139
SHIM6 = 140

# UDP ports (IANA). Linux uses 8472 for VXLAN unless told otherwise.
L2TP_PORT = 1701
GTP_PORT = 2152
TEREDO_PORT = 3544
VXLAN_PORT = 4789
VXLAN_GPE_PORT = 4790
AYIYA_PORT = 5072
GENEVE_PORT = 6081
VXLAN_LINUX_PORT = 8472
