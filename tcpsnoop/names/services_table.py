"""Our own table of TCP services: the names of ports where the system has none.

The system ports (RFC 6335 section 6: below 1024) are those of IANA's registry of service names; of
several names for a port the one in common use. Above stand the servers that are met in practice,
some of them on a port that the registry gives to something long forgotten, or to nobody.

No port from 32768 on: these are what Linux gives to the connecting end.
"""

from __future__ import annotations

_SYSTEM_PORTS = """
1 tcpmux 2 compressnet 3 compressnet 5 rje 7 echo 9 discard 11 systat 13 daytime 17 qotd 18 msp
19 chargen 20 ftp-data 21 ftp 22 ssh 23 telnet 25 smtp 27 nsw-fe 29 msg-icp 31 msg-auth 33 dsp
37 time 38 rap 39 rlp 41 graphics 42 nameserver 43 nicname 44 mpm-flags 45 mpm 46 mpm-snd 48 auditd
49 tacacs 50 re-mail-ck 52 xns-time 53 domain 54 xns-ch 55 isi-gl 56 xns-auth 58 xns-mail 62 acas
63 whoispp 64 covia 65 tacacs-ds 66 sql-net 67 bootps 68 bootpc 69 tftp 70 gopher 71 netrjs-1
72 netrjs-2 73 netrjs-3 74 netrjs-4 76 deos 78 vettcp 79 finger 80 http 82 xfer 83 mit-ml-dev 84 ctf
85 mit-ml-dev 86 mfcobol 88 kerberos 89 su-mit-tg 90 dnsix 91 mit-dov 92 npp 93 dcp 94 objcall
95 supdup 96 dixie 97 swift-rvf 98 tacnews 99 metagram 101 hostname 102 iso-tsap 103 gppitnp
104 acr-nema 105 csnet-ns 106 3com-tsmux 107 rtelnet 108 snagas 109 pop2 110 pop3 111 sunrpc
112 mcidas 113 auth 115 sftp 116 ansanotify 117 uucp-path 118 sqlserv 119 nntp 120 cfdptkt 121 erpc
122 smakynet 123 ntp 124 ansatrader 125 locus-map 126 nxedit 127 locus-con 128 gss-xlicen 129 pwdgen
130 cisco-fna 131 cisco-tna 132 cisco-sys 133 statsrv 134 ingres-net 135 epmap 136 profile
137 netbios-ns 138 netbios-dgm 139 netbios-ssn 140 emfis-data 141 emfis-cntl 142 bl-idm 143 imap
144 uma 145 uaac 146 iso-tp0 147 iso-ip 148 jargon 149 aed-512 150 sql-net 151 hems 152 bftp
153 sgmp 154 netsc-prod 155 netsc-dev 156 sqlsrv 157 knet-cmp 158 pcmail-srv 159 nss-routing
160 sgmp-traps 161 snmp 162 snmptrap 163 cmip-man 164 cmip-agent 165 xns-courier 166 s-net 167 namp
168 rsvd 169 send 170 print-srv 171 multiplex 172 cl-1 173 xyplex-mux 174 mailq 175 vmnet
176 genrad-mux 177 xdmcp 178 nextstep 179 bgp 180 ris 181 unify 182 audit 183 ocbinder 184 ocserver
185 remote-kis 186 kis 187 aci 188 mumps 189 qft 190 gacp 191 prospero 192 osu-nms 193 srmp 194 irc
195 dn6-nlm-aud 196 dn6-smm-red 197 dls 198 dls-mon 199 smux 200 src 201 at-rtmp 202 at-nbp 203 at-3
204 at-echo 205 at-5 206 at-zis 207 at-7 208 at-8 209 qmtp 210 z39-50 211 914c-g 212 anet 213 ipx
214 vmpwscs 215 softpc 216 CAIlic 217 dbase 218 mpp 219 uarps 220 imap3 221 fln-spx 222 rsh-spx
223 cdc 224 masqdialer 242 direct 243 sur-meas 244 inbusiness 245 link 246 dsp3270
247 subntbcst-tftp 248 bhfhs 256 rap 257 set 259 esro-gen 260 openport 261 nsiiops 262 arcisdms
263 hdap 264 bgmp 265 x-bone-ctl 266 sst 267 td-service 268 td-replica 269 manet 271 pt-tls
280 http-mgmt 281 personal-link 282 cableport-ax 283 rescap 284 corerjd 286 fxp 287 k-block
308 novastorbakcup 309 entrusttime 310 bhmds 311 asip-webadmin 312 vslmp 313 magenta-logic
314 opalis-robot 315 dpsi 316 decauth 317 zannet 318 pkix-timestamp 319 ptp-event 320 ptp-general
321 pip 322 rtsps 323 rpki-rtr 324 rpki-rtr-tls 333 texar 344 pdap 345 pawserv 346 zserv 347 fatserv
348 csi-sgwp 349 mftp 350 matip-type-a 351 matip-type-b 352 dtag-ste-sb 353 ndsauth 354 bh611
355 datex-asn 356 cloanto-net-1 357 bhevent 358 shrinkwrap 360 scoi2odialog 361 semantix 362 srssend
363 rsvp-tunnel 364 aurora-cmgr 365 dtk 366 odmr 367 mortgageware 368 qbikgdp 369 rpc2portmap
370 codaauth2 371 clearcase 372 ulistproc 373 legent-1 374 legent-2 375 hassle 376 nip 377 tnETOS
378 dsETOS 379 is99c 380 is99s 381 hp-collector 382 hp-managed-node 383 hp-alarm-mgr 384 arns
385 ibm-app 386 asa 387 aurp 388 unidata-ldm 389 ldap 390 uis 391 synotics-relay 392 synotics-broker
393 meta5 394 embl-ndt 395 netcp 396 netware-ip 397 mptn 398 kryptolan 399 iso-tsap-c2 400 osb-sd
401 ups 402 genie 403 decap 404 nced 405 ncld 406 imsp 407 timbuktu 408 prm-sm 409 prm-nm
410 decladebug 411 rmt 412 synoptics-trap 413 smsp 414 infoseek 415 bnet 416 silverplatter 417 onmux
418 hyper-g 419 ariel1 420 smpte 421 ariel2 422 ariel3 423 opc-job-start 424 opc-job-track
425 icad-el 426 smartsdp 427 svrloc 428 ocs-cmu 429 ocs-amu 430 utmpsd 431 utmpcd 432 iasd 433 nnsp
434 mobileip-agent 435 mobilip-mn 436 dna-cml 437 comscm 438 dsfgw 439 dasp 440 sgcp
441 decvms-sysmgt 442 cvc-hostd 443 https 444 snpp 445 microsoft-ds 446 ddm-rdb 447 ddm-dfm
448 ddm-ssl 449 as-servermap 450 tserver 451 sfs-smp-net 452 sfs-config 453 creativeserver
454 contentserver 455 creativepartnr 456 macon-tcp 457 scohelp 458 appleqtc 459 ampr-rcmd 460 skronk
461 datasurfsrv 462 datasurfsrvsec 463 alpes 464 kpasswd 465 submissions 466 digital-vrc
467 mylex-mapd 468 photuris 469 rcp 470 scx-proxy 471 mondex 472 ljk-login 473 hybrid-pop
474 tn-tl-w1 475 tcpnethaspsrv 476 tn-tl-fd1 477 ss7ns 478 spsc 479 iafserver 480 iafdbase 481 ph
482 bgs-nsi 483 ulpnet 484 integra-sme 485 powerburst 486 avian 487 saft 488 gss-http
489 nest-protocol 490 micom-pfs 491 go-login 492 ticf-1 493 ticf-2 494 pov-ray 495 intecourier
496 pim-rp-disc 497 retrospect 498 siam 499 iso-ill 500 isakmp 501 stmf 502 mbap 503 intrinsa
504 citadel 505 mailbox-lm 506 ohimsrv 507 crs 508 xvttp 509 snare 510 fcp 511 passgo 512 exec
513 login 514 shell 515 printer 516 videotex 517 talk 518 ntalk 519 utime 520 efs 521 ripng 522 ulp
523 ibm-db2 524 ncp 525 timed 526 tempo 527 stx 528 custix 529 irc-serv 530 courier 531 conference
532 netnews 533 netwall 534 windream 535 iiop 536 opalis-rdv 537 nmsp 538 gdomap 539 apertus-ldp
540 uucp 541 uucp-rlogin 542 commerce 543 klogin 544 kshell 545 appleqtcsrvr 546 dhcpv6-client
547 dhcpv6-server 548 afpovertcp 549 idfp 550 new-rwho 551 cybercash 552 devshr-nts 553 pirp
554 rtsp 555 dsf 556 remotefs 557 openvms-sysipc 558 sdnskmp 559 teedtap 560 rmonitor 561 monitor
562 chshell 563 nntps 564 9pfs 565 whoami 566 streettalk 567 banyan-rpc 568 ms-shuttle 569 ms-rome
570 meter 571 meter 572 sonar 573 banyan-vip 574 ftp-agent 575 vemmi 576 ipcd 577 vnas 578 ipdd
579 decbsrv 580 sntp-heartbeat 581 bdp 582 scc-security 583 philips-vc 584 keyserver
586 password-chg 587 submission 588 cal 589 eyelink 590 tns-cml 591 http-alt 592 eudora-set
593 http-rpc-epmap 594 tpip 595 cab-protocol 596 smsd 597 ptcnameservice 598 sco-websrvrmg3 599 acp
600 ipcserver 601 syslog-conn 602 xmlrpc-beep 603 idxp 604 tunnel 605 soap-beep 606 urm 607 nqs
608 sift-uft 609 npmp-trap 610 npmp-local 611 npmp-gui 612 hmmp-ind 613 hmmp-op 614 sshell
615 sco-inetmgr 616 sco-sysmgr 617 sco-dtmgr 618 dei-icda 619 compaq-evm 620 sco-websrvrmgr
621 escp-ip 622 collaborator 623 oob-ws-http 624 cryptoadmin 625 dec-dlm 626 asia 627 passgo-tivoli
628 qmqp 629 3com-amp3 630 rda 631 ipp 632 bmpp 633 servstat 634 ginad 635 rlzdbase 636 ldaps
637 lanserver 638 mcns-sec 639 msdp 640 entrust-sps 641 repcmd 642 esro-emsdp 643 sanity 644 dwr
645 pssc 646 ldp 647 dhcp-failover 648 rrp 649 cadview-3d 650 obex 651 ieee-mms 652 hello-port
653 repscmd 654 aodv 655 tinc 656 spmp 657 rmc 658 tenfold 660 mac-srvr-admin 661 hap 662 pftp
663 purenoise 664 oob-ws-https 665 sun-dr 666 mdqs 667 disclose 668 mecomm 669 meregister
670 vacdsm-sws 671 vacdsm-app 672 vpps-qua 673 cimplex 674 acap 675 dctp 676 vpps-via 677 vpp
678 ggf-ncp 679 mrm 680 entrust-aaas 681 entrust-aams 682 xfr 683 corba-iiop 684 corba-iiop-ssl
685 mdc-portmapper 686 hcp-wismar 687 asipregistry 688 realm-rusd 689 nmap 690 vatp
691 msexch-routing 692 hyperwave-isp 693 connendp 694 ha-cluster 695 ieee-mms-ssl 696 rushd
697 uuidgen 698 olsr 699 accessnetwork 700 epp 701 lmp 702 iris-beep 704 elcsd 705 agentx 706 silc
707 borland-dsj 709 entrust-kmsh 710 entrust-ash 711 cisco-tdp 712 tbrpf 713 iris-xpc 714 iris-xpcs
715 iris-lwz 729 netviewdm1 730 netviewdm2 731 netviewdm3 741 netgw 742 netrcs 744 flexlm
747 fujitsu-dev 748 ris-cm 749 kerberos-adm 750 rfile 751 pump 752 qrh 753 rrh 754 tell 758 nlogin
759 con 760 ns 761 rxe 762 quotad 763 cycleserv 764 omserv 765 webster 767 phonebook 769 vid
770 cadlock 771 rtip 772 cycleserv2 773 submit 774 rpasswd 775 entomb 776 wpages 777 multiling-http
780 wpgs 800 mdbs-daemon 801 device 802 mbap-s 810 fcp-udp 828 itm-mcell-s 829 pkix-3-ca-ra
830 netconf-ssh 831 netconf-beep 832 netconfsoaphttp 833 netconfsoapbeep 847 dhcp-failover2 848 gdoi
853 domain-s 854 dlep 860 iscsi 861 owamp-control 862 twamp-control 873 rsync 886 iclcnet-locate
887 iclcnet-svinfo 888 accessbuilder 900 omginitialrefs 901 smpnameres 902 ideafarm-door
903 ideafarm-panic 910 kink 911 xact-backup 912 apex-mesh 913 apex-edge 953 rndc 989 ftps-data
990 ftps 991 nas 992 telnets 993 imaps 995 pop3s 996 vsinet 997 maitrd 998 busboy 999 garcon
1000 cadlock2 1001 webpush 1010 surf 1021 exp1 1022 exp2
"""

_REGISTERED_PORTS = """
1080 socks 1099 rmiregistry 1194 openvpn 1352 lotusnote 1414 ibm-mqseries 1433 ms-sql-s
1434 ms-sql-m 1494 ica 1503 imtc-mcs 1524 ingreslock 1720 h323hostcall 1723 pptp 1812 radius
1813 radius-acct 1883 mqtt 1935 macromedia-fcs 2000 cisco-sccp 2049 nfs 2375 docker 2376 docker-s
2377 swarm 2379 etcd-client 2380 etcd-server 2401 cvspserver 2404 iec-104 2483 ttc 2484 ttc-ssl
2598 citriximaclient 2628 dict 2775 smpp 2947 gpsd 3050 gds-db 3205 isns 3260 iscsi-target
3268 msft-gc 3269 msft-gc-ssl 3306 mysql 3389 ms-wbt-server 3478 stun 3493 nut 3632 distcc 3689 daap
3690 svn 3868 diameter 4190 sieve 4369 epmd 4460 ntske 4840 opcua-tcp 4848 appserv-http 4949 munin
5000 commplex-main 5060 sip 5061 sips 5222 xmpp-client 5269 xmpp-server 5280 xmpp-bosh 5349 stuns
5432 postgresql 5631 pcanywheredata 5666 nrpe 5671 amqps 5672 amqp 5900 rfb 5984 couchdb 5985 wsman
5986 wsmans 6000 x11 6001 x11 6002 x11 6003 x11 6004 x11 6005 x11 6006 x11 6007 x11 6008 x11
6009 x11 6010 x11 6346 gnutella-svc 6379 redis 6514 syslog-tls 6566 sane-port 6653 openflow
6665 ircu 6666 ircu 6667 ircu 6668 ircu 6669 ircu 6697 ircs-u 7000 afs3-fileserver
7001 afs3-callback 7100 font-service 7687 bolt 8000 irdmi 8008 http-alt 8080 http-alt
8088 radan-http 8140 puppet 8443 pcsync-https 8883 secure-mqtt 8888 ddi-tcp-1 9000 cslistener
9090 websm 9100 pdl-datastream 9101 bacula-dir 9102 bacula-fd 9103 bacula-sd 9418 git 10000 ndmp
10050 zabbix-agent 10051 zabbix-trapper 10080 amanda 10809 nbd 11211 memcache 11371 hkp 13720 bprd
17500 db-lsp 20000 dnp 24554 binkp 26000 quake
"""

# What runs there today, whatever the registry says of the port.
_CUSTOMARY_PORTS = """
1521 oracle 2181 zookeeper 3128 squid 4222 nats 5601 kibana 6432 pgbouncer 6443 kubernetes
7474 neo4j 8086 influxdb 8123 clickhouse 8200 vault 8333 bitcoin 8500 consul 9042 cassandra
9092 kafka 9200 elasticsearch 9300 elasticsearch 10250 kubelet 25565 minecraft 27017 mongodb
27018 mongodb 27019 mongodb
"""


def _parsed(text: str) -> dict[int, str]:
    words = text.split()
    return {int(port): name for port, name in zip(words[::2], words[1::2], strict=True)}


SERVICES = _parsed(_SYSTEM_PORTS) | _parsed(_REGISTERED_PORTS) | _parsed(_CUSTOMARY_PORTS)
"""The name of each port's service."""
