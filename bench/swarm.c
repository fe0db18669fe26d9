/* Many short processes with a connection each, which tell the truth about themselves.
 *
 *   swarm serve ADDRESS WORKERS TRUTH          listens, prints its port, serves until its input ends
 *   swarm call ADDRESS PORT COUNT AT_ONCE PER_SECOND TRUTH
 *                                              COUNT processes, AT_ONCE alive, PER_SECOND (0: no limit)
 *   swarm repeat ADDRESS PORT COUNT PROCESSES PER_SECOND TRUTH
 *                                              the same calls, but all of them by PROCESSES
 *
 * Each process that calls connects, sends 8 bytes, its number, receives them and exits; every second one resets its
 * connection, so that its port is free at once, the others wait for the server's FIN. WORKERS
 * processes accept on one socket. ADDRESS is IPv4, IPv6, or an IPv4 address after `::ffff:`, which
 * means an IPv6 socket. TRUTH becomes a file of records: see `struct record`; times are of
 * CLOCK_REALTIME, before the call and after the close. `call` and `repeat` print the seconds taken.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct record {
    long long number /* of the call, from 0 */, pid, port /* of who called */, began_ns, ended_ns;
};

enum { SERVED = 1 << 20, GREETING = 8 };

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static struct record *truth(const char *path, size_t count)
{
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (file < 0 || ftruncate(file, count * sizeof(struct record)) < 0)
        fail(path);
    void *area = mmap(NULL, count * sizeof(struct record), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (area == MAP_FAILED)
        fail("mmap");
    close(file);
    return area;
}

static socklen_t place(struct sockaddr_storage *where, const char *address, int port)
{
    memset(where, 0, sizeof *where);
    struct sockaddr_in *four = (void *)where;
    struct sockaddr_in6 *six = (void *)where;
    if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        return sizeof *four;
    }
    if (inet_pton(AF_INET6, address, &six->sin6_addr) != 1)
        fail(address);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    return sizeof *six;
}

static int port_of(struct sockaddr_storage *where)
{
    /* The port is at the same place in both. */
    return ntohs(((struct sockaddr_in *)where)->sin_port);
}

static int move(int connection, char *greeting, int out)
{
    size_t done = 0;
    while (done < GREETING) {
        ssize_t n = out ? send(connection, greeting + done, GREETING - done, MSG_NOSIGNAL)
                        : recv(connection, greeting + done, GREETING - done, 0);
        if (n <= 0)
            return -1;
        done += n;
    }
    return 0;
}

static void work(int listening, struct record *records, size_t *next)
{
    for (;;) {
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        long long began = now();
        int connection = accept(listening, (void *)&peer, &size);
        if (connection < 0)
            continue;
        char greeting[GREETING + 1] = "";
        if (move(connection, greeting, 0) == 0)
            move(connection, greeting, 1);
        close(connection);
        size_t mine = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED);
        if (mine < SERVED)
            records[mine] = (struct record){atoll(greeting), getpid(), port_of(&peer), began, now()};
    }
}

static void serve(const char *address, int workers, const char *path)
{
    struct record *records = truth(path, SERVED);
    size_t *next = mmap(NULL, sizeof *next, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct sockaddr_storage where;
    socklen_t size = place(&where, address, 0);
    int listening = socket(where.ss_family, SOCK_STREAM, 0), no = 0;
    if (where.ss_family == AF_INET6)
        setsockopt(listening, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (bind(listening, (void *)&where, size) < 0 || listen(listening, 4096) < 0)
        fail("listen");
    getsockname(listening, (void *)&where, &size);
    printf("%d\n", port_of(&where));
    fflush(stdout);
    pid_t pids[workers];
    for (int i = 0; i < workers; i++)
        if ((pids[i] = fork()) == 0)
            work(listening, records, next);
    char byte;
    while (read(0, &byte, 1) > 0)
        ;
    for (int i = 0; i < workers; i++)
        kill(pids[i], SIGKILL);
    while (wait(NULL) > 0)
        ;
    if (truncate(path, (*next < SERVED ? *next : SERVED) * sizeof(struct record)) < 0)
        fail("truncate");
}

static void call(struct sockaddr_storage *where, socklen_t size, struct record *mine, int number)
{
    int resets = number % 2;
    char greeting[GREETING + 1];
    snprintf(greeting, sizeof greeting, "%08d", number % 100000000);
    long long began = now();
    int connection = socket(where->ss_family, SOCK_STREAM, 0);
    struct sockaddr_storage own;
    socklen_t own_size = sizeof own;
    struct linger at_once = {1, 0};
    if (resets)
        setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (connect(connection, (void *)where, size) < 0) {
        fprintf(stderr, "connect: %s\n", strerror(errno));
        _exit(1);
    }
    getsockname(connection, (void *)&own, &own_size);
    if (move(connection, greeting, 1) < 0 || move(connection, greeting, 0) < 0)
        _exit(1);
    if (!resets)
        while (recv(connection, greeting, 1, 0) > 0)
            ;
    close(connection);
    *mine = (struct record){number, getpid(), port_of(&own), began, now()};
}

static void wait_for_turn(long long started, int number, int rate)
{
    if (!rate)
        return;
    long long early = started + number * 1000000000LL / rate - now();
    struct timespec pause = {early / 1000000000, early % 1000000000};
    if (early > 0)
        nanosleep(&pause, NULL);
}

static void await_all(long long started, int failed)
{
    int status;
    while (wait(&status) > 0)
        failed += status != 0;
    printf("%.6f\n", (now() - started) / 1e9);
    exit(failed != 0);
}

static void call_all(const char *address, int port, int count, int at_once, int rate, const char *path)
{
    struct record *records = truth(path, count);
    struct sockaddr_storage where;
    socklen_t size = place(&where, address, port);
    int alive = 0, failed = 0, status;
    long long started = now();
    for (int i = 0; i < count; i++) {
        wait_for_turn(started, i, rate);
        while (alive > 0 && waitpid(-1, &status, alive < at_once ? WNOHANG : 0) > 0) {
            failed += status != 0;
            alive--;
        }
        pid_t pid = fork();
        if (pid < 0)
            fail("fork");
        if (pid == 0) {
            call(&where, size, records + i, i);
            _exit(0);
        }
        alive++;
    }
    await_all(started, failed);
}

static void repeat(const char *address, int port, int count, int processes, int rate, const char *path)
{
    struct record *records = truth(path, count);
    struct sockaddr_storage where;
    socklen_t size = place(&where, address, port);
    long long started = now();
    for (int first = 0; first < processes; first++) {
        pid_t pid = fork();
        if (pid < 0)
            fail("fork");
        if (pid == 0) {
            for (int i = first; i < count; i += processes) {
                wait_for_turn(started, i, rate);
                call(&where, size, records + i, i);
            }
            _exit(0);
        }
    }
    await_all(started, 0);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "serve") == 0)
        serve(argv[2], atoi(argv[3]), argv[4]);
    else if (argc == 8 && strcmp(argv[1], "call") == 0)
        call_all(argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]), atoi(argv[6]), argv[7]);
    else if (argc == 8 && strcmp(argv[1], "repeat") == 0)
        repeat(argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]), atoi(argv[6]), argv[7]);
    else
        return 2;
    return 0;
}
