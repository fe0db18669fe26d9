/* Many small TCP writes over loopback: small_writes PORT SECONDS
 *
 * Both ends of every connection belong to this one process, so that it loads one core and nothing
 * waits for the scheduler. A system call makes several writes, each a segment of its own; the other
 * end reads them before the next turn. Packets are counted by the loopback interface, as a write
 * that had to wait for the congestion window may share a segment with the next one.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 16, WRITES = 32, WRITE_BYTES = 16 };

static void check(int failed, const char *what)
{
	if (failed) {
		perror(what);
		exit(1);
	}
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static long long loopback_packets(void)
{
	char line[512];
	long long received = -1;
	FILE *file = fopen("/proc/net/dev", "r"); /* of our own network namespace */
	check(!file, "/proc/net/dev");
	while (fgets(line, sizeof line, file))
		if (sscanf(line, " lo: %*d %lld", &received) == 1)
			break;
	fclose(file);
	check(received < 0, "packets of lo");
	return received;
}

static void connect_pair(int listener, const struct sockaddr_in *address, int pair[2])
{
	int on = 1;
	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	check(connect(pair[0], (const struct sockaddr *)address, sizeof *address), "connect");
	pair[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	check(pair[1] < 0, "accept");
	check(setsockopt(pair[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
}

int main(int argc, char **argv)
{
	static char text[WRITE_BYTES] = "0123456789abcde", drain[65536];
	static struct mmsghdr messages[WRITES];
	struct iovec payload = { text, WRITE_BYTES };
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, pairs[CONNECTIONS][2];
	struct sockaddr_in address = { .sin_family = AF_INET };

	if (argc != 3) {
		fprintf(stderr, "usage: small_writes PORT SECONDS\n");
		return 2;
	}
	address.sin_port = htons(atoi(argv[1]));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	check(bind(listener, (struct sockaddr *)&address, sizeof address), "bind");
	check(listen(listener, CONNECTIONS), "listen");

	long long before = loopback_packets(), writes = 0;
	double start = now(), seconds = atof(argv[2]);
	for (int i = 0; i < WRITES; i++)
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &payload, .msg_iovlen = 1 };
	for (int i = 0; i < CONNECTIONS; i++)
		connect_pair(listener, &address, pairs[i]);
	while (now() - start < seconds) {
		for (int i = 0; i < CONNECTIONS; i++) {
			check(sendmmsg(pairs[i][0], messages, WRITES, 0) != WRITES, "sendmmsg");
			while (read(pairs[i][1], drain, sizeof drain) > 0)
				;
			writes += WRITES;
		}
	}
	for (int i = 0; i < CONNECTIONS; i++) {
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
	seconds = now() - start;
	printf("writes %lld packets %lld seconds %.6f\n", writes, loopback_packets() - before, seconds);
	return 0;
}
