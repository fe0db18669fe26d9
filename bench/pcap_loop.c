/* The least a program on libpcap can do: read every packet of FILE and look at none. */
#include <pcap.h>
#include <stdio.h>

static void ignore(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	(void)user, (void)header, (void)bytes;
}

int main(int argc, char **argv)
{
	char error[PCAP_ERRBUF_SIZE] = "usage: pcap_loop FILE";
	pcap_t *capture = argc == 2 ? pcap_open_offline(argv[1], error) : NULL;
	if (!capture || pcap_loop(capture, -1, ignore, NULL) != 0) {
		fprintf(stderr, "%s\n", capture ? pcap_geterr(capture) : error);
		return 1;
	}
	pcap_close(capture);
	return 0;
}
