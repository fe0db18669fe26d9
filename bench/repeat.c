/* A capture of any length on standard output: repeat CAPTURE BYTES.
 *
 * The packets of a made capture come again and again until BYTES are written: each time later, and
 * between hosts of the other of two networks, so that what is kept of hosts and of connections that
 * were left open does not grow. The number of packets goes to standard error.
 *
 * Records are changed in place and a pipe is lent their pages instead of a copy (vmsplice(2)), while
 * the cache has them: so what is measured is who reads. Several copies of the capture are taken in
 * turn, as the pipe may still hold the end of the one before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	FILE_HEADER = 24,
	RECORD_HEADER = 16,
	LENGTH = 8, /* in a record header: bytes captured */
	/* Second octets of source and destination in a record: after Ethernet, in the IPv4 header. */
	SOURCE = RECORD_HEADER + 14 + 12 + 1,
	DESTINATION = RECORD_HEADER + 14 + 16 + 1,
	PIECE = 1 << 17,
	PIPE = 1 << 20, /* what a user's pipe holds at most (pipe(7)) */
	PAGE = 4096,
	MOST_TURNS = 16,
};

static uint32_t word(const uint8_t *at)
{
	uint32_t value;
	memcpy(&value, at, sizeof value);
	return value;
}

static void fail(const char *what)
{
	fprintf(stderr, "repeat: %s: %s\n", what, errno ? strerror(errno) : "not a capture of bench");
	exit(1);
}

static uint8_t *whole_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	if (!file || fseek(file, 0, SEEK_END) != 0)
		fail(path);
	*size = ftell(file);
	rewind(file);
	uint8_t *content = malloc(*size);
	if (!content || fread(content, 1, *size, file) != *size)
		fail(path);
	fclose(file);
	return content;
}

static void put(uint8_t *at, size_t size, int lend)
{
	while (size > 0) {
		struct iovec piece = {at, size};
		ssize_t done = lend ? vmsplice(STDOUT_FILENO, &piece, 1, 0) :
				      write(STDOUT_FILENO, at, size);
		if (done < 0)
			fail("standard output");
		at += done;
		size -= done;
	}
}

/* Seconds from the first record to behind the last. */
static uint32_t span_of(const uint8_t *content, size_t size)
{
	size_t at = FILE_HEADER, last = at;
	while (at + RECORD_HEADER <= size) {
		last = at;
		at += RECORD_HEADER + word(content + at + LENGTH);
	}
	if (at != size || last == FILE_HEADER)
		fail("records");
	return word(content + last) - word(content + FILE_HEADER) + 1;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: repeat CAPTURE BYTES\n", stderr);
		return 2;
	}
	size_t size;
	uint8_t *content = whole_file(argv[1], &size);
	unsigned long long least = strtoull(argv[2], NULL, 10), written = 0, packets = 0;
	if (size < FILE_HEADER || word(content) != 0xA1B2C3D4)
		fail(argv[1]);
	uint32_t span = span_of(content, size);
	struct stat output;
	int lend = fstat(STDOUT_FILENO, &output) == 0 && S_ISFIFO(output.st_mode);
	fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE); /* of a pipe; else nothing */
	put(content, FILE_HEADER, 0);
	uint8_t *turns[MOST_TURNS];
	unsigned int count = 2 + 2 * PIPE / size;
	if (count > MOST_TURNS)
		fail("too small");
	for (unsigned int i = 0; i < count; i++) {
		turns[i] = aligned_alloc(PAGE, (size + PAGE - 1) / PAGE * PAGE);
		if (!turns[i])
			fail("memory");
		memcpy(turns[i], content, size);
	}
	for (unsigned int number = 0; written < least; number++) {
		uint8_t *turn = turns[number % count];
		/* So many repetitions later than when it was last written. */
		uint32_t later = number < count ? number : count;
		size_t at = FILE_HEADER, done = at;
		while (at < size) {
			uint8_t *record = turn + at;
			uint32_t seconds = word(record) + later * span;
			memcpy(record, &seconds, sizeof seconds);
			record[SOURCE] ^= later & 1;
			record[DESTINATION] ^= later & 1;
			at += RECORD_HEADER + word(record + LENGTH);
			packets++;
			if (at - done >= PIECE || at == size) {
				put(turn + done, at - done, lend);
				written += at - done;
				done = at;
			}
		}
	}
	fprintf(stderr, "%llu\n", packets);
	return 0;
}
