/*
 * smtpsink - SMTP server that accepts and discards mail (plain or STARTTLS), one epoll loop per
 * thread. It counts messages and bytes, checks message content, and prints one JSON object with
 * totals on standard output when it ends (--expect, --idle-exit, --max-time, SIGTERM, SIGINT).
 * SIGUSR1 prints the totals so far on standard error.
 *
 * Understands the headers that smtpload adds: X-Load-Seq (lost and duplicated messages),
 * X-Load-Time (end-to-end latency on the same host), X-Load-Crc (content check, --verify).
 *
 * Exit status: 0 ok; 1 --expect not reached, duplicates or damaged messages; 2 usage; 3 fatal.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "histogram.h"

#define IN_SIZE 65536
#define OUT_SIZE 8192
#define HEAD_SIZE 16384 /* how much of a message is searched for X-Load headers */
#define MAX_LINE 4096

static struct {
    const char *host, *port, *cert, *key, *name, *recv_log;
    long delay_ms, size_limit, threads, expect, idle_exit, max_time, tempfail, reject, conn_limit, track;
    int tls_min, tls_max;
    bool starttls, require_tls, no_pipelining, no_chunking, no_tickets, verify, verbose;
} opt = { .host = "127.0.0.1", .port = "2526", .name = "sink.example", .size_limit = 1L << 30, .threads = 1, .max_time = 3600 };

static void usage(FILE *f)
{
    fputs(
"usage: smtpsink [options]\n"
"  --host ADDRESS       address to listen on (default 127.0.0.1)\n"
"  --port PORT          port to listen on (default 2526)\n"
"  --name NAME          host name in the greeting (default sink.example)\n"
"  --starttls           offer STARTTLS; needs --cert and --key\n"
"  --cert FILE          certificate chain (PEM)\n"
"  --key FILE           private key (PEM)\n"
"  --require-tls        refuse MAIL without TLS (530)\n"
"  --tls-min V, --tls-max V   1.2 or 1.3\n"
"  --no-tickets         do not let clients resume TLS sessions\n"
"  --no-pipelining      do not offer PIPELINING\n"
"  --no-chunking        do not offer CHUNKING\n"
"  --size-limit BYTES   SIZE limit offered and enforced (default 1 GiB)\n"
"  --delay-ms N         wait N ms before the reply to each message (default 0)\n"
"  --tempfail PERCENT   answer 451 to this share of messages (default 0)\n"
"  --reject PERCENT     answer 554 to this share of messages (default 0)\n"
"  --conn-limit N       greet connections above N with 421 (default: no limit)\n"
"  --threads N          threads, each with its own listener (default 1)\n"
"  --track N            report lost and duplicated messages; sequence numbers are below N\n"
"  --verify             check the CRC-32 of each body (X-Load-Crc)\n"
"  --recv-log FILE      append the sequence number of every message to FILE\n"
"  --expect N           end after N messages\n"
"  --idle-exit S        end when no message came for S seconds after the first one\n"
"  --max-time S         end after S seconds (default 3600)\n"
"  --verbose            print protocol errors on standard error\n"
"  --help               this text\n", f);
}

static void die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("smtpsink: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(3);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static double wall_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* ---------------------------------------------------------------- state */

enum mode { M_COMMAND, M_DATA, M_BDAT, M_HANDSHAKE, M_DELAY, M_CLOSING };

struct conn {
    struct worker *w;
    struct conn *prev, *next;   /* all connections of the worker */
    struct conn *delay_next;    /* --delay-ms queue */
    double due;
    int fd;
    SSL *ssl;
    enum mode mode;
    bool want_out, greeted, mail, bdat_last, bdat_open, at_line_start, too_big, delayed_dead;
    long rcpts;
    uint64_t bdat_left, size;   /* of the current message */
    size_t in_pos, in_n, out_pos, out_n, head_n;
    bool head_done;             /* the header section is complete in head */
    uint32_t crc, crc_want;
    bool crc_known;
    long seq;
    uint64_t t_sent;
    char out[OUT_SIZE];
    char *head;                 /* beginning of the message, HEAD_SIZE bytes */
    char in[IN_SIZE];
};

struct worker {
    pthread_t th;
    int ep, lfd;
    SSL_CTX *ctx;
    struct conn *conns, *delay_head, *delay_tail;
    long nconns, peak;
    uint64_t messages, bytes, recipients, sessions, tls, resumed, tls_failed, tempfailed, rejected, damaged, aborted, duplicates, dropped;
    double t_first, t_last;
    char tls_name[64];
    unsigned rnd;
    struct hist e2e;
};

static struct worker *g_workers;
static atomic_long g_messages;
static atomic_bool g_stop;
static volatile sig_atomic_t g_signal, g_usr1;
static atomic_uchar *g_seen;
static FILE *g_log;
static double g_wall_off; /* wall clock minus monotonic clock */

static void watch(struct conn *c, bool in, bool out)
{
    struct epoll_event ev = { .events = (in ? EPOLLIN : 0) | (out ? EPOLLOUT : 0), .data.ptr = c };
    epoll_ctl(c->w->ep, EPOLL_CTL_MOD, c->fd, &ev);
    c->want_out = out;
}

static void conn_free(struct conn *c)
{
    struct worker *w = c->w;
    if (c->mode == M_DELAY) { c->delayed_dead = true; return; } /* freed when the delay ends */
    if (c->mode == M_DATA || c->mode == M_BDAT) w->aborted++;
    if (c->ssl) {
        SSL_set_quiet_shutdown(c->ssl, 1);
        SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
    }
    close(c->fd);
    if (c->prev) c->prev->next = c->next; else w->conns = c->next;
    if (c->next) c->next->prev = c->prev;
    w->nconns--;
    free(c->head);
    free(c);
}

/* Queues a reply. */
static void reply(struct conn *c, const char *text)
{
    size_t n = strlen(text);
    if (c->out_n + n > OUT_SIZE) { c->mode = M_CLOSING; return; } /* a client that does not read */
    memcpy(c->out + c->out_n, text, n);
    c->out_n += n;
}

/* Writes queued replies. Returns false on a broken connection. */
static bool flush(struct conn *c)
{
    while (c->out_pos < c->out_n) {
        ssize_t r;
        if (c->ssl) {
            ERR_clear_error();
            r = SSL_write(c->ssl, c->out + c->out_pos, (int)(c->out_n - c->out_pos));
            if (r <= 0) {
                int e = SSL_get_error(c->ssl, (int)r);
                if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE) return false;
                if (!c->want_out) watch(c, true, true);
                return true;
            }
        } else {
            r = send(c->fd, c->out + c->out_pos, c->out_n - c->out_pos, MSG_NOSIGNAL);
            if (r < 0) {
                if (errno == EINTR) continue;
                if (errno != EAGAIN) return false;
                if (!c->want_out) watch(c, true, true);
                return true;
            }
        }
        c->out_pos += (size_t)r;
    }
    c->out_pos = c->out_n = 0;
    if (c->want_out) watch(c, true, false);
    return true;
}

/* ---------------------------------------------------------------- message content */

static uint32_t crc_table[256];

static void crc_init(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t v = i;
        for (int k = 0; k < 8; k++) v = v & 1 ? 0xEDB88320u ^ (v >> 1) : v >> 1;
        crc_table[i] = v;
    }
}

static uint32_t crc_update(uint32_t crc, const char *p, size_t n)
{
    while (n--) crc = crc_table[(crc ^ (unsigned char)*p++) & 255] ^ (crc >> 8);
    return crc;
}

static void message_begin(struct conn *c)
{
    c->size = 0;
    c->head_n = 0;
    c->head_done = c->too_big = c->crc_known = false;
    c->crc = ~0u;
    c->seq = -1;
    c->t_sent = 0;
    if (!c->head && !(c->head = malloc(HEAD_SIZE + 1))) die("out of memory");
}

static const char *header(const struct conn *c, const char *name)
{
    const char *p = c->head;
    size_t n = strlen(name);
    while (p && (size_t)(p - c->head) < c->head_n) {
        if (!strncasecmp(p, name, n)) return p + n;
        p = strchr(p, '\n');
        if (p) p++;
    }
    return NULL;
}

/* Looks for the X-Load headers in the first part of the message. */
static void parse_head(struct conn *c)
{
    const char *v;
    c->head[c->head_n] = 0;
    if ((v = header(c, "X-Load-Seq:"))) c->seq = atol(v);
    if ((v = header(c, "X-Load-Time:"))) c->t_sent = strtoull(v, NULL, 10);
    if ((v = header(c, "X-Load-Crc:"))) { c->crc_want = (uint32_t)strtoul(v, NULL, 16); c->crc_known = true; }
}

/* Takes message bytes, dot-stuffing already removed where that matters (--verify). */
static void message_bytes(struct conn *c, const char *p, size_t n)
{
    c->size += n;
    if (c->size > (uint64_t)opt.size_limit) c->too_big = true;
    if (!c->head_done) {
        size_t old = c->head_n, k = HEAD_SIZE - old < n ? HEAD_SIZE - old : n;
        memcpy(c->head + old, p, k);
        c->head_n += k;
        size_t from = old > 3 ? old - 3 : 0;
        char *end = memmem(c->head + from, c->head_n - from, "\r\n\r\n", 4);
        if (!end && c->head_n < HEAD_SIZE) return;
        c->head_done = true;
        if (!end) { parse_head(c); c->crc_known = false; return; }
        size_t body_at = (size_t)(end - c->head) + 4;
        size_t skip = body_at - old; /* bytes of this chunk that belong to the header section */
        c->head_n = body_at;
        parse_head(c);
        p += skip;
        n -= skip;
    }
    if (opt.verify && c->crc_known) c->crc = crc_update(c->crc, p, n);
}

static void message_end(struct conn *c)
{
    struct worker *w = c->w;
    c->mail = false;
    c->rcpts = c->rcpts > 0 ? c->rcpts : 0;
    if (c->too_big) { reply(c, "552 5.3.4 message too big\r\n"); w->rejected++; return; }
    if (opt.tempfail || opt.reject) {
        long r = (long)(rand_r(&w->rnd) % 100);
        if (r < opt.tempfail) { reply(c, "451 4.3.0 try again later\r\n"); w->tempfailed++; return; }
        if (r < opt.tempfail + opt.reject) { reply(c, "554 5.7.1 rejected\r\n"); w->rejected++; return; }
    }
    double t = now_s();
    if (!w->t_first) w->t_first = t;
    w->t_last = t;
    w->messages++;
    w->bytes += c->size;
    w->recipients += (uint64_t)c->rcpts;
    if (c->t_sent) hist_add(&w->e2e, t - (double)c->t_sent / 1e9);
    if (opt.verify && (!c->crc_known || ~c->crc != c->crc_want)) {
        w->damaged++;
        if (opt.verbose) fprintf(stderr, "smtpsink: message %ld damaged\n", c->seq);
    }
    if (g_seen && c->seq >= 0 && c->seq < opt.track && atomic_exchange(&g_seen[c->seq], 1)) w->duplicates++;
    if (g_log) fprintf(g_log, "%ld\n", c->seq);
    reply(c, "250 2.0.0 accepted\r\n");
    if (atomic_fetch_add(&g_messages, 1) + 1 == opt.expect) atomic_store(&g_stop, true);
}

/* The reply to a message, at once or after the delay. */
static void message_reply(struct conn *c)
{
    struct worker *w = c->w;
    if (!opt.delay_ms) { c->mode = M_COMMAND; message_end(c); return; }
    c->mode = M_DELAY;
    c->due = now_s() + opt.delay_ms / 1000.0;
    c->delay_next = NULL;
    if (w->delay_tail) w->delay_tail->delay_next = c; else w->delay_head = c;
    w->delay_tail = c;
    watch(c, false, false);
}

/* Consumes DATA content from the input buffer. Returns true if the final dot was found. */
static bool take_data(struct conn *c)
{
    char *p = c->in + c->in_pos;
    size_t n = c->in_n - c->in_pos;
    if (c->at_line_start) { /* first line of the message */
        if (n < 3 && !memcmp(p, ".\r\n", n)) return false;
        if (n >= 3 && !memcmp(p, ".\r\n", 3)) { c->in_pos += 3; return true; }
        if (opt.verify && n && *p == '.') { p++; n--; c->in_pos++; }
        c->at_line_start = false;
    }
    if (!opt.verify) { /* find the end, nothing else */
        char *end = memmem(p, n, "\r\n.\r\n", 5);
        if (end) {
            message_bytes(c, p, (size_t)(end - p) + 2);
            c->in_pos += (size_t)(end - p) + 5;
            return true;
        }
        size_t keep = n < 4 ? n : 4; /* may be the beginning of the end */
        message_bytes(c, p, n - keep);
        c->in_pos += n - keep;
        return false;
    }
    for (;;) { /* remove dot-stuffing: look for CRLF "." */
        char *dot = memmem(p, n, "\r\n.", 3);
        if (!dot) {
            size_t keep = n < 2 ? n : 2;
            message_bytes(c, p, n - keep);
            c->in_pos += n - keep;
            return false;
        }
        size_t k = (size_t)(dot - p);
        if (n - k < 5) {
            if (memcmp(dot, "\r\n.\r\n", n - k)) goto stuffed;
            message_bytes(c, p, k);
            c->in_pos += k;
            return false;
        }
        if (!memcmp(dot, "\r\n.\r\n", 5)) {
            message_bytes(c, p, k + 2);
            c->in_pos += k + 5;
            return true;
        }
    stuffed:
        message_bytes(c, p, k + 2);
        p += k + 3;
        n -= k + 3;
        c->in_pos += k + 3;
    }
}

static bool is(const char *line, size_t n, const char *verb)
{
    size_t v = strlen(verb);
    return n >= v && !strncasecmp(line, verb, v) && (n == v || line[v] == ' ');
}

static void ehlo_reply(struct conn *c, bool extended)
{
    char buf[512];
    if (!extended) { snprintf(buf, sizeof buf, "250 %s\r\n", opt.name); reply(c, buf); return; }
    snprintf(buf, sizeof buf, "250-%s\r\n%s%s%s250-SIZE %ld\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250 ENHANCEDSTATUSCODES\r\n",
             opt.name, opt.no_pipelining ? "" : "250-PIPELINING\r\n", opt.no_chunking ? "" : "250-CHUNKING\r\n",
             opt.starttls && !c->ssl ? "250-STARTTLS\r\n" : "", opt.size_limit);
    reply(c, buf);
}

static void command(struct conn *c, char *line, size_t n)
{
    if (is(line, n, "EHLO") || is(line, n, "HELO")) {
        c->greeted = true;
        c->mail = false;
        ehlo_reply(c, (line[0] | 32) == 'e');
    } else if (n >= 10 && !strncasecmp(line, "MAIL FROM:", 10)) {
        char *s;
        line[n] = 0;
        if (opt.require_tls && !c->ssl) reply(c, "530 5.7.0 must issue STARTTLS first\r\n");
        else if (!c->greeted || c->mail) reply(c, "503 5.5.1 bad sequence\r\n");
        else if ((s = strcasestr(line, " SIZE=")) && atol(s + 6) > opt.size_limit) reply(c, "552 5.3.4 message too big\r\n");
        else { c->mail = true; c->rcpts = 0; reply(c, "250 2.1.0 ok\r\n"); }
    } else if (n >= 8 && !strncasecmp(line, "RCPT TO:", 8)) {
        if (!c->mail) reply(c, "503 5.5.1 bad sequence\r\n");
        else { c->rcpts++; reply(c, "250 2.1.5 ok\r\n"); }
    } else if (is(line, n, "DATA")) {
        if (!c->mail || !c->rcpts || c->bdat_open) { reply(c, "503 5.5.1 bad sequence\r\n"); return; }
        reply(c, "354 go ahead\r\n");
        message_begin(c);
        c->at_line_start = true;
        c->mode = M_DATA;
    } else if (is(line, n, "BDAT") && !opt.no_chunking) {
        char *end;
        line[n] = 0;
        c->bdat_left = strtoull(line + 4, &end, 10);
        c->bdat_last = strcasestr(end, "LAST") != NULL;
        if (!c->bdat_open) message_begin(c);
        c->bdat_open = true;
        c->mode = M_BDAT; /* the chunk is read even if it is refused */
    } else if (is(line, n, "RSET")) {
        c->mail = c->bdat_open = false;
        reply(c, "250 2.0.0 ok\r\n");
    } else if (is(line, n, "NOOP")) {
        reply(c, "250 2.0.0 ok\r\n");
    } else if (is(line, n, "QUIT")) {
        reply(c, "221 2.0.0 bye\r\n");
        c->mode = M_CLOSING;
    } else if (is(line, n, "STARTTLS") && opt.starttls && !c->ssl) {
        reply(c, "220 2.0.0 ready to start TLS\r\n");
        c->mode = M_HANDSHAKE;
    } else if (is(line, n, "VRFY")) {
        reply(c, "252 2.1.5 send some mail\r\n");
    } else {
        if (opt.verbose) fprintf(stderr, "smtpsink: unknown command: %.*s\n", (int)(n > 80 ? 80 : n), line);
        reply(c, "502 5.5.2 command not recognized\r\n");
    }
}

/* Processes buffered input. */
static void process(struct conn *c)
{
    while (c->in_pos < c->in_n) {
        char *p = c->in + c->in_pos, *nl;
        size_t n = c->in_n - c->in_pos;
        switch (c->mode) {
        case M_COMMAND:
            if (!(nl = memchr(p, '\n', n))) {
                if (n > MAX_LINE) { reply(c, "500 5.5.2 line too long\r\n"); c->mode = M_CLOSING; }
                return;
            }
            n = (size_t)(nl - p);
            c->in_pos += n + 1;
            if (n && p[n - 1] == '\r') n--;
            command(c, p, n);
            break;
        case M_DATA:
            if (!take_data(c)) return;
            message_reply(c);
            break;
        case M_BDAT: {
            size_t k = n < c->bdat_left ? n : (size_t)c->bdat_left;
            message_bytes(c, p, k);
            c->in_pos += k;
            c->bdat_left -= k;
        }
            /* fall through */
        bdat_end:
            if (c->bdat_left) return;
            c->mode = M_COMMAND;
            if (!c->mail || !c->rcpts) { reply(c, "503 5.5.1 bad sequence\r\n"); if (c->bdat_last) c->bdat_open = false; break; }
            if (!c->bdat_last) { reply(c, "250 2.0.0 chunk received\r\n"); break; }
            c->bdat_open = false;
            message_reply(c);
            break;
        default:
            return;
        }
        if (c->mode == M_BDAT && !c->bdat_left) goto bdat_end; /* empty chunk */
    }
}

/* Reads, processes and replies. May free the connection. */
static void serve(struct conn *c, bool more_buffered)
{
    struct worker *w = c->w;
    bool drained = false;       /* nothing more to read now */
    ssize_t r;
    if (more_buffered) goto run;
    for (;;) {
        if (c->mode == M_HANDSHAKE) {
            ERR_clear_error();
            int r = SSL_do_handshake(c->ssl);
            if (r != 1) {
                int e = SSL_get_error(c->ssl, r);
                if (e == SSL_ERROR_WANT_READ) { if (c->want_out) watch(c, true, false); return; }
                if (e == SSL_ERROR_WANT_WRITE) { watch(c, true, true); return; }
                w->tls_failed++;
                if (opt.verbose) fprintf(stderr, "smtpsink: TLS handshake: %s\n", ERR_reason_error_string(ERR_peek_error()));
                conn_free(c);
                return;
            }
            w->tls++;
            if (SSL_session_reused(c->ssl)) w->resumed++;
            if (!w->tls_name[0])
                snprintf(w->tls_name, sizeof w->tls_name, "%s %s", SSL_get_version(c->ssl), SSL_get_cipher_name(c->ssl));
            if (c->want_out) watch(c, true, false);
            c->mode = M_COMMAND;
            c->greeted = c->mail = false;
        }
        if (c->in_pos == c->in_n) c->in_pos = c->in_n = 0;
        else if (c->in_pos > IN_SIZE / 2) {
            memmove(c->in, c->in + c->in_pos, c->in_n - c->in_pos);
            c->in_n -= c->in_pos;
            c->in_pos = 0;
        }
        size_t room = IN_SIZE - c->in_n;
        if (c->ssl) {
            ERR_clear_error();
            r = SSL_read(c->ssl, c->in + c->in_n, (int)room);
            if (r <= 0) {
                int e = SSL_get_error(c->ssl, (int)r);
                if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) return;
                conn_free(c);
                return;
            }
        } else {
            r = recv(c->fd, c->in + c->in_n, room, 0);
            if (r < 0 && errno == EINTR) continue;
            if (r < 0 && errno == EAGAIN) return;
            if (r <= 0) { conn_free(c); return; }
        }
        c->in_n += (size_t)r;
        drained = !c->ssl && (size_t)r < room;
    run:
        process(c);
        if (!flush(c) || c->mode == M_CLOSING) { conn_free(c); return; }
        if (c->mode == M_DELAY) return;
        if (c->mode == M_HANDSHAKE) {
            if (c->in_pos < c->in_n || c->out_n) { conn_free(c); return; } /* data after STARTTLS */
            if (!(c->ssl = SSL_new(w->ctx)) || !SSL_set_fd(c->ssl, c->fd)) die("SSL_new failed");
            SSL_set_accept_state(c->ssl);
            return;
        }
        if (drained) return;
    }
}

static void accept_all(struct worker *w)
{
    for (int i = 0; i < 64; i++) {
        int fd = accept4(w->lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (opt.conn_limit && w->nconns >= opt.conn_limit) {
            static const char busy[] = "421 4.3.2 too many connections\r\n";
            if (send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL) > 0) w->dropped++;
            close(fd);
            continue;
        }
        struct conn *c = malloc(sizeof *c);
        if (!c) die("out of memory");
        memset(c, 0, offsetof(struct conn, out));
        c->head = NULL;
        c->w = w;
        c->fd = fd;
        if ((c->next = w->conns)) c->next->prev = c;
        w->conns = c;
        if (++w->nconns > w->peak) w->peak = w->nconns;
        w->sessions++;
        struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
        epoll_ctl(w->ep, EPOLL_CTL_ADD, fd, &ev);
        char buf[256];
        snprintf(buf, sizeof buf, "220 %s ESMTP smtpsink\r\n", opt.name);
        reply(c, buf);
        if (!flush(c)) conn_free(c);
    }
}

/* ---------------------------------------------------------------- totals */

static bool print_totals(FILE *f, double t0)
{
    struct worker s = { 0 };
    long peak = 0;
    for (long i = 0; i < opt.threads; i++) {
        struct worker *w = &g_workers[i];
        hist_merge(&s.e2e, &w->e2e);
        s.messages += w->messages; s.bytes += w->bytes; s.recipients += w->recipients; s.sessions += w->sessions;
        s.tls += w->tls; s.resumed += w->resumed; s.tls_failed += w->tls_failed; s.tempfailed += w->tempfailed;
        s.rejected += w->rejected; s.damaged += w->damaged; s.aborted += w->aborted; s.duplicates += w->duplicates;
        s.dropped += w->dropped;
        peak += w->peak;
        if (w->t_first && (!s.t_first || w->t_first < s.t_first)) s.t_first = w->t_first;
        if (w->t_last > s.t_last) s.t_last = w->t_last;
        if (w->tls_name[0]) memcpy(s.tls_name, w->tls_name, sizeof s.tls_name);
    }
    double secs = s.t_last - s.t_first;
    struct rusage ru;
    getrusage(RUSAGE_SELF, &ru);
    fprintf(f, "{\"tool\":\"smtpsink\",\"messages\":%lu,\"bytes\":%lu,\"recipients\":%lu,\"sessions\":%lu,\"peak_sessions\":%ld,"
            "\"tls_handshakes\":%lu,\"tls_resumed\":%lu,\"tls_failed\":%lu,\"tls\":\"%s\",\"tempfailed\":%lu,\"rejected\":%lu,"
            "\"aborted\":%lu,\"refused_connections\":%lu,",
            s.messages, s.bytes, s.recipients, s.sessions, peak, s.tls, s.resumed, s.tls_failed, s.tls_name, s.tempfailed,
            s.rejected, s.aborted, s.dropped);
    if (g_seen) {
        long missing = 0;
        for (long i = 0; i < opt.track; i++) missing += !g_seen[i];
        fprintf(f, "\"duplicates\":%lu,\"missing\":%ld,", s.duplicates, missing);
    }
    if (opt.verify) fprintf(f, "\"damaged\":%lu,", s.damaged);
    fprintf(f, "\"seconds\":%.4f,\"msgs_per_s\":%.1f,\"mbytes_per_s\":%.2f,"
            "\"e2e_ms\":{\"mean\":%.3f,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"max\":%.3f},"
            "\"t_first\":%.6f,\"t_last\":%.6f,\"uptime\":%.1f,\"cpu_s\":%.3f}\n",
            secs, secs > 0 ? s.messages / secs : 0, secs > 0 ? s.bytes / secs / 1e6 : 0,
            s.e2e.n ? s.e2e.sum / s.e2e.n / 1000 : 0, hist_pct(&s.e2e, 50), hist_pct(&s.e2e, 90), hist_pct(&s.e2e, 99),
            s.e2e.max / 1000.0, s.t_first ? s.t_first + g_wall_off : 0, s.t_last ? s.t_last + g_wall_off : 0, now_s() - t0,
            ru.ru_utime.tv_sec + ru.ru_stime.tv_sec + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6);
    fflush(f);
    return (!opt.expect || s.messages >= (uint64_t)opt.expect) && !s.duplicates && !s.damaged;
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct epoll_event ev[256];
    double t0 = now_s(), grace = 0;
    for (;;) {
        int wait_ms = 100;
        if (w->delay_head) {
            double d = (w->delay_head->due - now_s()) * 1000;
            wait_ms = d <= 0 ? 0 : d < 100 ? (int)d + 1 : 100;
        }
        int n = epoll_wait(w->ep, ev, 256, wait_ms);
        for (int i = 0; i < n; i++) {
            struct conn *c = ev[i].data.ptr;
            if (!c) { accept_all(w); continue; }
            if (c->mode == M_DELAY) { /* only errors are reported now */
                if (ev[i].events & (EPOLLERR | EPOLLHUP)) epoll_ctl(w->ep, EPOLL_CTL_DEL, c->fd, NULL), c->delayed_dead = true;
                continue;
            }
            if ((ev[i].events & EPOLLOUT) && c->mode != M_HANDSHAKE && !flush(c)) { conn_free(c); continue; }
            serve(c, false);
        }
        double t = now_s();
        while (w->delay_head && w->delay_head->due <= t) {
            struct conn *c = w->delay_head;
            if (!(w->delay_head = c->delay_next)) w->delay_tail = NULL;
            c->mode = M_COMMAND;
            if (c->delayed_dead) { w->aborted++; conn_free(c); continue; }
            watch(c, true, false);
            message_end(c);
            serve(c, true);
        }
        if (w == g_workers) {
            double last = 0;
            for (long i = 0; i < opt.threads; i++) if (g_workers[i].t_last > last) last = g_workers[i].t_last;
            if (g_usr1) { g_usr1 = 0; print_totals(stderr, t0); }
            if (g_signal || t - t0 > opt.max_time || (opt.idle_exit && last && t - last > opt.idle_exit)) break;
        }
        if (atomic_load(&g_stop)) { /* let clients finish their last session, for at most 0.3 s */
            if (!grace) grace = t;
            if (!w->conns || t - grace > 0.3) break;
        }
    }
    atomic_store(&g_stop, true);
    return NULL;
}

/* ---------------------------------------------------------------- main */

static void on_signal(int sig)
{
    if (sig == SIGUSR1) g_usr1 = 1;
    else g_signal = 1;
}

static SSL_CTX *make_ctx(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx) die("SSL_CTX_new failed");
    if (SSL_CTX_use_certificate_chain_file(ctx, opt.cert) != 1) die("cannot use certificate %s", opt.cert);
    if (SSL_CTX_use_PrivateKey_file(ctx, opt.key, SSL_FILETYPE_PEM) != 1) die("cannot use key %s", opt.key);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"smtpsink", 8);
    if (opt.tls_min) SSL_CTX_set_min_proto_version(ctx, opt.tls_min);
    if (opt.tls_max) SSL_CTX_set_max_proto_version(ctx, opt.tls_max);
    if (opt.no_tickets) {
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(ctx, 0);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    }
    return ctx;
}

static int make_listener(void)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *ai;
    int e = getaddrinfo(opt.host, opt.port, &hints, &ai), one = 1;
    if (e) die("%s port %s: %s", opt.host, opt.port, gai_strerror(e));
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) die("socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (opt.threads > 1) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0) die("bind %s port %s: %s", opt.host, opt.port, strerror(errno));
    if (listen(fd, 4096) < 0) die("listen: %s", strerror(errno));
    freeaddrinfo(ai);
    return fd;
}

static long num(const char *name, const char *s, long min, long max)
{
    char *end;
    errno = 0;
    long v = strtol(s, &end, 10);
    if (errno || *end || end == s || v < min || v > max) {
        fprintf(stderr, "smtpsink: --%s must be a number from %ld to %ld\n", name, min, max);
        exit(2);
    }
    return v;
}

static int tls_version(const char *s)
{
    if (!strcmp(s, "1.2")) return TLS1_2_VERSION;
    if (!strcmp(s, "1.3")) return TLS1_3_VERSION;
    fputs("smtpsink: TLS version must be 1.2 or 1.3\n", stderr);
    exit(2);
}

static void parse(int argc, char **argv)
{
    enum { O_HOST = 1, O_PORT, O_NAME, O_TLS, O_CERT, O_KEY, O_REQ, O_TMIN, O_TMAX, O_NOTICK, O_NOPIPE, O_NOCHUNK, O_SIZE,
           O_DELAY, O_TEMP, O_REJ, O_LIMIT, O_THREADS, O_TRACK, O_VERIFY, O_LOG, O_EXPECT, O_IDLE, O_MAXTIME, O_VERB, O_HELP };
    static const struct option lo[] = {
        {"host", 1, 0, O_HOST}, {"port", 1, 0, O_PORT}, {"name", 1, 0, O_NAME}, {"starttls", 0, 0, O_TLS},
        {"cert", 1, 0, O_CERT}, {"key", 1, 0, O_KEY}, {"require-tls", 0, 0, O_REQ}, {"tls-min", 1, 0, O_TMIN},
        {"tls-max", 1, 0, O_TMAX}, {"no-tickets", 0, 0, O_NOTICK}, {"no-pipelining", 0, 0, O_NOPIPE},
        {"no-chunking", 0, 0, O_NOCHUNK}, {"size-limit", 1, 0, O_SIZE}, {"delay-ms", 1, 0, O_DELAY},
        {"tempfail", 1, 0, O_TEMP}, {"reject", 1, 0, O_REJ}, {"conn-limit", 1, 0, O_LIMIT}, {"threads", 1, 0, O_THREADS},
        {"track", 1, 0, O_TRACK}, {"verify", 0, 0, O_VERIFY}, {"recv-log", 1, 0, O_LOG}, {"expect", 1, 0, O_EXPECT},
        {"idle-exit", 1, 0, O_IDLE}, {"max-time", 1, 0, O_MAXTIME}, {"verbose", 0, 0, O_VERB}, {"help", 0, 0, O_HELP},
        {0, 0, 0, 0}};
    int k;
    while ((k = getopt_long(argc, argv, "", lo, NULL)) != -1)
        switch (k) {
        case O_HOST: opt.host = optarg; break;
        case O_PORT: num("port", optarg, 1, 65535); opt.port = optarg; break;
        case O_NAME: opt.name = optarg; break;
        case O_TLS: opt.starttls = true; break;
        case O_CERT: opt.cert = optarg; break;
        case O_KEY: opt.key = optarg; break;
        case O_REQ: opt.require_tls = true; break;
        case O_TMIN: opt.tls_min = tls_version(optarg); break;
        case O_TMAX: opt.tls_max = tls_version(optarg); break;
        case O_NOTICK: opt.no_tickets = true; break;
        case O_NOPIPE: opt.no_pipelining = true; break;
        case O_NOCHUNK: opt.no_chunking = true; break;
        case O_SIZE: opt.size_limit = num("size-limit", optarg, 1, 1L << 40); break;
        case O_DELAY: opt.delay_ms = num("delay-ms", optarg, 0, 600000); break;
        case O_TEMP: opt.tempfail = num("tempfail", optarg, 0, 100); break;
        case O_REJ: opt.reject = num("reject", optarg, 0, 100); break;
        case O_LIMIT: opt.conn_limit = num("conn-limit", optarg, 0, 1000000); break;
        case O_THREADS: opt.threads = num("threads", optarg, 1, 64); break;
        case O_TRACK: opt.track = num("track", optarg, 1, 1000000000); break;
        case O_VERIFY: opt.verify = true; break;
        case O_LOG: opt.recv_log = optarg; break;
        case O_EXPECT: opt.expect = num("expect", optarg, 0, 1000000000); break;
        case O_IDLE: opt.idle_exit = num("idle-exit", optarg, 0, 86400); break;
        case O_MAXTIME: opt.max_time = num("max-time", optarg, 1, 86400); break;
        case O_VERB: opt.verbose = true; break;
        case O_HELP: usage(stdout); exit(0);
        default: usage(stderr); exit(2);
        }
    if (optind != argc) { usage(stderr); exit(2); }
    if (opt.starttls && (!opt.cert || !opt.key)) { fputs("smtpsink: --starttls needs --cert and --key\n", stderr); exit(2); }
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    struct sigaction sa = { .sa_handler = on_signal };
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGUSR1, &sa, NULL);
    struct rlimit rl;
    if (!getrlimit(RLIMIT_NOFILE, &rl)) { rl.rlim_cur = rl.rlim_max; setrlimit(RLIMIT_NOFILE, &rl); }
    crc_init();
    g_wall_off = wall_s() - now_s();
    if (opt.track && !(g_seen = calloc((size_t)opt.track, 1))) die("out of memory");
    if (opt.recv_log && !(g_log = fopen(opt.recv_log, "a"))) die("%s: %s", opt.recv_log, strerror(errno));
    if (!(g_workers = calloc((size_t)opt.threads, sizeof *g_workers))) die("out of memory");
    for (long i = 0; i < opt.threads; i++) {
        struct worker *w = &g_workers[i];
        w->lfd = make_listener();
        w->rnd = (unsigned)i + 1;
        w->ctx = opt.starttls ? make_ctx() : NULL;
        if ((w->ep = epoll_create1(EPOLL_CLOEXEC)) < 0) die("epoll_create1: %s", strerror(errno));
        struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };
        epoll_ctl(w->ep, EPOLL_CTL_ADD, w->lfd, &ev);
    }
    double t0 = now_s();
    for (long i = 1; i < opt.threads; i++)
        if (pthread_create(&g_workers[i].th, NULL, worker_main, &g_workers[i])) die("pthread_create failed");
    worker_main(&g_workers[0]);
    for (long i = 1; i < opt.threads; i++) pthread_join(g_workers[i].th, NULL);
    if (g_log) fclose(g_log);
    return print_totals(stdout, t0) ? 0 : 1;
}
