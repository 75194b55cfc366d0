/*
 * smtpload - SMTP load generator (plain or STARTTLS), one epoll loop per thread.
 *
 * Opens --sessions parallel SMTP sessions, sends --messages messages in total and prints one
 * JSON object with throughput, latency percentiles and error counts on standard output.
 *
 * Every message carries three headers that smtpsink understands:
 *   X-Load-Seq:  sequence number of the message (to find lost or duplicated messages)
 *   X-Load-Time: CLOCK_MONOTONIC nanoseconds at the start of the transaction (end-to-end latency,
 *                meaningful only if load and sink run on the same host)
 *   X-Load-Crc:  CRC-32 of the body, before dot-stuffing (content integrity)
 *
 * Exit status: 0 every message was accepted; 1 some were not; 2 usage error; 3 fatal error.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
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
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "histogram.h"

#define IN_SIZE 8192         /* reply buffer of one session */
#define STAGE_SIZE 16384     /* TLS staging buffer: one full record */
#define MAX_SEGS 6
#define RECONNECT_DELAY 0.05 /* seconds to wait after a failed connection */

/* ------------------------------------------------------------------ options */

static struct {
    const char *host, *port, *from, *to_domain, *helo, *cafile, *servername, *ack_log, *cert, *key;
    long sessions, messages, per_session, size, rcpts, threads, timeout, max_time, max_errors;
    double rate;
    int tls_min, tls_max;
    bool starttls, require_tls, pipelining, overlap, bdat, resume, unique, dots, no_quit, quickack, verbose;
} opt = {
    .host = "127.0.0.1", .port = "2525", .from = "sender@load.example", .to_domain = "sink.example",
    .helo = "load.example", .sessions = 1, .messages = 1000, .per_session = 1, .size = 4096, .rcpts = 1,
    .threads = 1, .timeout = 60, .max_time = 600, .max_errors = 1000,
};

static void usage(FILE *f)
{
    fputs(
"usage: smtpload [options]\n"
"  --host HOST          server address (default 127.0.0.1)\n"
"  --port PORT          server port (default 2525)\n"
"  --sessions N         parallel SMTP sessions (default 1)\n"
"  --messages N         messages in total (default 1000)\n"
"  --per-session N      messages per session before QUIT and reconnect; 0 = unlimited (default 1)\n"
"  --size BYTES         size of each message, headers included (default 4096)\n"
"  --rcpts N            recipients per message (default 1)\n"
"  --from ADDRESS       envelope sender (default sender@load.example)\n"
"  --to-domain DOMAIN   recipients are user<n>@DOMAIN (default sink.example)\n"
"  --unique             a different recipient address for every message\n"
"  --helo NAME          EHLO name (default load.example)\n"
"  --starttls           use STARTTLS if offered; a session without it is an error\n"
"  --resume             resume TLS sessions (each slot offers its latest ticket)\n"
"  --tls-min V, --tls-max V   1.2 or 1.3\n"
"  --cafile FILE        verify the server certificate against FILE\n"
"  --servername NAME    TLS SNI, and the name verified with --cafile\n"
"  --cert FILE, --key FILE    client certificate (PEM)\n"
"  --pipelining         send MAIL, RCPT and DATA in one flight if the server offers PIPELINING\n"
"  --overlap            as --pipelining, and send the next envelope with the end of the data\n"
"  --bdat               use BDAT instead of DATA if the server offers CHUNKING\n"
"  --dots               begin some body lines with a dot (tests dot-stuffing)\n"
"  --rate N             start at most N messages per second over all sessions (default: no limit)\n"
"  --threads N          threads, each with its own share of the sessions (default 1)\n"
"  --timeout S          seconds a session may make no progress (default 60)\n"
"  --max-time S         stop after S seconds (default 600)\n"
"  --max-errors N       stop after N failed messages or connections (default 1000)\n"
"  --ack-log FILE       append the sequence number of every accepted message to FILE\n"
"  --quickack           acknowledge TCP segments at once (hides Nagle delays of the server)\n"
"  --no-quit            close sessions without QUIT\n"
"  --verbose            print protocol errors on standard error\n"
"  --help               this text\n", f);
}

static void die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("smtpload: ", stderr);
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

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

static double wall_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void hist_json(const char *name, const struct hist *h)
{
    printf("\"%s\":{\"mean\":%.3f,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"max\":%.3f}", name,
           h->n ? h->sum / h->n / 1000 : 0, hist_pct(h, 50), hist_pct(h, 90), hist_pct(h, 99), h->max / 1000.0);
}

/* ---------------------------------------------------------------- sessions */

enum state { ST_IDLE, ST_CONNECT, ST_GREETING, ST_EHLO, ST_STARTTLS, ST_HANDSHAKE, ST_EHLO_TLS, ST_WAIT,
             ST_MAIL, ST_RCPT, ST_DATA, ST_BODY, ST_RSET, ST_QUIT };

struct seg { const char *p; size_t n; };

struct conn {
    struct worker *w;
    int fd;
    SSL *ssl;
    SSL_SESSION *sess;          /* latest ticket of this slot (--resume) */
    enum state st;
    unsigned gen;               /* counts closed connections of this slot */
    bool want_out, can_pipeline, can_bdat, can_size, offers_tls;
    double deadline, retry_at, t_conn, t_msg, t_next;
    long sent;                  /* messages done in this session */
    long seq, next_seq;         /* current message; next one if its envelope was already sent */
    long rcpt_i, rcpt_ok;
    bool mail_ok;
    struct conn *wait_next;     /* --rate queue */
    struct seg out[MAX_SEGS];
    int nout, iout;
    char *cmd;                  /* command flight under construction */
    size_t cmd_n, cmd_cap;
    char hdr[640];
    char in[IN_SIZE];
    size_t in_n;
    char stage[STAGE_SIZE];
    size_t stage_n;
};

struct worker {
    pthread_t th;
    int ep, live;
    struct conn *conns;
    long nconns;
    SSL_CTX *ctx;
    struct hist lat, setup;
    struct conn *wait_head, *wait_tail;
    long accepted, r4xx, r5xx, e_connect, e_tls, e_proto, e_closed, e_timeout, sessions, tls, resumed;
    double t_last;              /* time of the last final reply */
    char tls_name[64];
    FILE *ack;
};

static struct sockaddr_storage g_addr;
static socklen_t g_addrlen;
static atomic_long g_next, g_errors;
static atomic_bool g_stop;
static double g_start;
static char *g_body, *g_wire;   /* body as is, and as sent with DATA (dot-stuffed, with the final dot) */
static size_t g_body_n, g_wire_n;
static uint32_t g_crc;
static char g_date[64];

static void conn_connect(struct conn *c);

static void note(const struct conn *c, const char *what)
{
    if (opt.verbose) fprintf(stderr, "smtpload: seq %ld state %d: %s\n", c->seq, c->st, what);
}

static void count_error(void)
{
    if (atomic_fetch_add(&g_errors, 1) + 1 >= opt.max_errors) atomic_store(&g_stop, true);
}

static void conn_close(struct conn *c)
{
    if (c->ssl) {
        SSL_set_quiet_shutdown(c->ssl, 1); /* keeps the session resumable */
        SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
        c->ssl = NULL;
    }
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    c->gen++;
    c->st = ST_IDLE;
}

/* Ends the session; opens the next one while messages are left. */
static void conn_done(struct conn *c, bool failed)
{
    conn_close(c);
    if (atomic_load(&g_next) >= opt.messages && c->next_seq < 0) return;
    if (failed) c->retry_at = now_s() + RECONNECT_DELAY;
    else conn_connect(c);
}

static void conn_fail(struct conn *c, long *counter, const char *what)
{
    note(c, what);
    (*counter)++;
    c->seq = -1;
    c->next_seq = -1;
    count_error();
    conn_done(c, true);
}

static void watch(struct conn *c, bool out)
{
    if (out == c->want_out) return;
    struct epoll_event ev = { .events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c };
    epoll_ctl(c->w->ep, EPOLL_CTL_MOD, c->fd, &ev);
    c->want_out = out;
}

/* ---- output: a flight is a list of segments; a new flight starts only when the old one is gone */

static void cmd_reset(struct conn *c) { c->cmd_n = 0; }

static void cmd_add(struct conn *c, const char *fmt, ...)
{
    va_list ap;
    for (;;) {
        va_start(ap, fmt);
        int n = vsnprintf(c->cmd + c->cmd_n, c->cmd_cap - c->cmd_n, fmt, ap);
        va_end(ap);
        if (n >= 0 && (size_t)n < c->cmd_cap - c->cmd_n) { c->cmd_n += n; return; }
        c->cmd_cap = c->cmd_cap ? c->cmd_cap * 2 : 1024;
        if (!(c->cmd = realloc(c->cmd, c->cmd_cap))) die("out of memory");
    }
}

static void out_add(struct conn *c, const char *p, size_t n)
{
    if (c->nout < MAX_SEGS) c->out[c->nout++] = (struct seg){ p, n };
}

/* Moves the bytes written out of the segment list. */
static void out_advance(struct conn *c, size_t n)
{
    while (n && c->iout < c->nout) {
        struct seg *s = &c->out[c->iout];
        size_t k = n < s->n ? n : s->n;
        s->p += k;
        s->n -= k;
        n -= k;
        if (!s->n) c->iout++;
    }
}

/* Writes as much as possible. Returns false on a broken connection. */
static bool flush(struct conn *c)
{
    while (c->iout < c->nout || c->stage_n) {
        if (c->ssl) {
            while (c->iout < c->nout && c->stage_n < STAGE_SIZE) {
                struct seg *s = &c->out[c->iout];
                size_t k = STAGE_SIZE - c->stage_n < s->n ? STAGE_SIZE - c->stage_n : s->n;
                memcpy(c->stage + c->stage_n, s->p, k);
                c->stage_n += k;
                out_advance(c, k);
            }
            ERR_clear_error();
            int r = SSL_write(c->ssl, c->stage, (int)c->stage_n);
            if (r <= 0) {
                int e = SSL_get_error(c->ssl, r);
                if (e != SSL_ERROR_WANT_WRITE && e != SSL_ERROR_WANT_READ) return false;
                watch(c, true);
                return true;
            }
            c->stage_n = 0; /* no partial writes: the whole staged record was taken */
        } else {
            struct iovec v[MAX_SEGS];
            int nv = 0;
            for (int i = c->iout; i < c->nout; i++) v[nv++] = (struct iovec){ (void *)c->out[i].p, c->out[i].n };
            ssize_t r = writev(c->fd, v, nv);
            if (r < 0) {
                if (errno == EINTR) continue;
                if (errno != EAGAIN) return false;
                watch(c, true);
                return true;
            }
            out_advance(c, (size_t)r);
        }
    }
    c->nout = c->iout = 0;
    watch(c, false);
    return true;
}

/* ---- the transaction */

static void add_envelope(struct conn *c, long seq, bool all)
{
    if (c->can_size) cmd_add(c, "MAIL FROM:<%s> SIZE=%ld\r\n", opt.from, opt.size);
    else cmd_add(c, "MAIL FROM:<%s>\r\n", opt.from);
    if (!all) return;
    for (long i = 0; i < opt.rcpts; i++)
        cmd_add(c, "RCPT TO:<user%ld@%s>\r\n", opt.unique ? seq * opt.rcpts + i : i, opt.to_domain);
}

/* Headers have the same length for every message, so that the body can be shared. */
static int make_headers(char *buf, size_t cap, long seq)
{
    return snprintf(buf, cap,
        "From: <%s>\r\nTo: <user@%s>\r\nDate: %s\r\nSubject: load test message\r\n"
        "Message-ID: <%010ld.%010u@%s>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"
        "X-Load-Seq: %010ld\r\nX-Load-Time: %020llu\r\nX-Load-Crc: %08x\r\n\r\n",
        opt.from, opt.to_domain, g_date, seq, (unsigned)getpid(), opt.helo, seq, (unsigned long long)now_ns(), g_crc);
}

static void add_bdat(struct conn *c)
{
    int h = make_headers(c->hdr, sizeof c->hdr, c->seq);
    cmd_add(c, "BDAT %zu LAST\r\n", (size_t)h + g_body_n);
    out_add(c, c->cmd, c->cmd_n);
    out_add(c, c->hdr, (size_t)h);
    out_add(c, g_body, g_body_n);
}

/* Begins the message c->seq, whose envelope may already be on its way. */
static void begin_message(struct conn *c, bool envelope_sent)
{
    c->t_msg = now_s();
    c->rcpt_i = c->rcpt_ok = 0;
    c->mail_ok = false;
    c->st = ST_MAIL;
    if (envelope_sent) return;
    cmd_reset(c);
    add_envelope(c, c->seq, c->can_pipeline);
    if (c->can_pipeline && c->can_bdat) { add_bdat(c); return; }
    if (c->can_pipeline) cmd_add(c, "DATA\r\n");
    out_add(c, c->cmd, c->cmd_n);
}

static void send_quit(struct conn *c)
{
    c->seq = -1;
    if (opt.no_quit) { conn_done(c, false); return; }
    c->st = ST_QUIT;
    cmd_reset(c);
    cmd_add(c, "QUIT\r\n");
    out_add(c, c->cmd, c->cmd_n);
}

static bool session_full(const struct conn *c) { return opt.per_session && c->sent >= opt.per_session; }

static long take_seq(void)
{
    if (atomic_load(&g_stop)) return -1;
    long s = atomic_fetch_add(&g_next, 1);
    return s < opt.messages ? s : -1;
}

static void start_or_wait(struct conn *c)
{
    if (opt.rate > 0) {
        c->t_next = g_start + c->seq / opt.rate;
        if (c->t_next > now_s()) {
            c->st = ST_WAIT;
            c->wait_next = NULL;
            if (c->w->wait_tail) c->w->wait_tail->wait_next = c;
            else c->w->wait_head = c;
            c->w->wait_tail = c;
            return;
        }
    }
    begin_message(c, false);
}

static void next_message(struct conn *c)
{
    if (session_full(c)) { send_quit(c); return; }
    c->seq = take_seq();
    if (c->seq < 0) { send_quit(c); return; }
    start_or_wait(c);
}

static void send_body(struct conn *c)
{
    int h = make_headers(c->hdr, sizeof c->hdr, c->seq);
    c->st = ST_BODY;
    cmd_reset(c);
    if (c->rcpt_ok) {
        out_add(c, c->hdr, (size_t)h);
        out_add(c, g_wire, g_wire_n);
    } else {
        cmd_add(c, ".\r\n"); /* nobody to deliver to */
    }
    if (opt.overlap && c->can_pipeline && !(opt.per_session && c->sent + 1 >= opt.per_session) &&
        (c->next_seq = take_seq()) >= 0) {
        add_envelope(c, c->next_seq, true);
        cmd_add(c, "DATA\r\n");
    }
    if (c->cmd_n) out_add(c, c->cmd, c->cmd_n);
}

static void message_end(struct conn *c, int code)
{
    struct worker *w = c->w;
    double t = now_s();
    w->t_last = t;
    c->sent++;
    if (code / 100 == 2 && c->rcpt_ok == opt.rcpts) {
        w->accepted++;
        hist_add(&w->lat, t - c->t_msg);
        if (w->ack) fprintf(w->ack, "%ld\n", c->seq);
    } else {
        if (code / 100 == 5) w->r5xx++;
        else w->r4xx++;
        count_error();
    }
    if (c->next_seq >= 0) {
        c->seq = c->next_seq;
        c->next_seq = -1;
        begin_message(c, true);
    }
}

static void send_ehlo(struct conn *c, enum state st)
{
    c->st = st;
    c->can_pipeline = c->can_bdat = c->can_size = c->offers_tls = false;
    cmd_reset(c);
    cmd_add(c, "EHLO %s\r\n", opt.helo);
    out_add(c, c->cmd, c->cmd_n);
}

static void start_tls(struct conn *c)
{
    c->ssl = SSL_new(c->w->ctx);
    if (!c->ssl || !SSL_set_fd(c->ssl, c->fd)) die("SSL_new failed");
    SSL_set_app_data(c->ssl, c);
    if (opt.servername) {
        SSL_set_tlsext_host_name(c->ssl, opt.servername);
        if (opt.cafile) SSL_set1_host(c->ssl, opt.servername);
    }
    if (opt.resume && c->sess) SSL_set_session(c->ssl, c->sess);
    SSL_set_connect_state(c->ssl);
    c->st = ST_HANDSHAKE;
}

/* One EHLO line. */
static void ehlo_keyword(struct conn *c, const char *k, size_t n)
{
    if (n >= 10 && !strncasecmp(k, "PIPELINING", 10)) c->can_pipeline = opt.pipelining;
    else if (n >= 8 && !strncasecmp(k, "CHUNKING", 8)) c->can_bdat = opt.bdat;
    else if (n >= 8 && !strncasecmp(k, "STARTTLS", 8)) c->offers_tls = true;
    else if (n >= 4 && !strncasecmp(k, "SIZE", 4)) c->can_size = true;
}

/* Handles the last line of a reply. Returns false if the connection was closed. */
static bool on_reply(struct conn *c, int code, const char *line)
{
    struct worker *w = c->w;
    unsigned gen = c->gen;
    int cls = code / 100;
    if (code == 421) { conn_fail(c, &w->r4xx, line); return false; }
    switch (c->st) {
    case ST_GREETING:
        if (cls != 2) { conn_fail(c, cls == 4 ? &w->r4xx : &w->r5xx, line); return false; }
        send_ehlo(c, ST_EHLO);
        break;
    case ST_EHLO:
        if (cls != 2) { conn_fail(c, &w->e_proto, line); return false; }
        if (!opt.starttls) goto ready;
        if (!c->offers_tls) { conn_fail(c, &w->e_tls, "STARTTLS not offered"); return false; }
        c->st = ST_STARTTLS;
        cmd_reset(c);
        cmd_add(c, "STARTTLS\r\n");
        out_add(c, c->cmd, c->cmd_n);
        break;
    case ST_STARTTLS:
        if (cls != 2) { conn_fail(c, &w->e_tls, line); return false; }
        start_tls(c);
        break;
    case ST_EHLO_TLS:
        if (cls != 2) { conn_fail(c, &w->e_proto, line); return false; }
    ready:
        hist_add(&w->setup, now_s() - c->t_conn);
        w->sessions++;
        next_message(c);
        break;
    case ST_MAIL:
        c->mail_ok = cls == 2;
        if (!c->mail_ok) note(c, line);
        c->st = ST_RCPT;
        if (c->can_pipeline) break;
        if (!c->mail_ok) goto reset;
        goto next_rcpt;
    case ST_RCPT:
        c->rcpt_i++;
        if (cls == 2) c->rcpt_ok++;
        else note(c, line);
        if (c->rcpt_i < opt.rcpts) {
            if (c->can_pipeline) break;
        next_rcpt:
            cmd_reset(c);
            cmd_add(c, "RCPT TO:<user%ld@%s>\r\n", opt.unique ? c->seq * opt.rcpts + c->rcpt_i : c->rcpt_i, opt.to_domain);
            out_add(c, c->cmd, c->cmd_n);
            break;
        }
        c->st = c->can_bdat ? ST_BODY : ST_DATA;
        if (c->can_pipeline) break;
        if (!c->rcpt_ok) goto reset;
        cmd_reset(c);
        if (c->can_bdat) { add_bdat(c); break; }
        cmd_add(c, "DATA\r\n");
        out_add(c, c->cmd, c->cmd_n);
        break;
    case ST_DATA:
        if (code == 354) { send_body(c); break; }
        note(c, line);
        message_end(c, cls == 2 || cls == 3 ? 599 : code);
        goto reset_after;
    case ST_BODY:
        if (cls != 2) note(c, line);
        message_end(c, code);
        if (c->st == ST_MAIL) break; /* next envelope was sent along */
        if (cls != 2) goto reset_after;
        next_message(c);
        break;
    reset:
        message_end(c, code);
    reset_after:
        c->st = ST_RSET;
        cmd_reset(c);
        cmd_add(c, "RSET\r\n");
        out_add(c, c->cmd, c->cmd_n);
        break;
    case ST_RSET:
        next_message(c);
        break;
    case ST_QUIT:
        conn_done(c, false);
        return false;
    default:
        conn_fail(c, &w->e_proto, "unexpected reply");
        return false;
    }
    return c->gen == gen;
}

/* Consumes complete reply lines. Returns false if the connection was closed. */
static bool on_input(struct conn *c)
{
    size_t pos = 0;
    char *nl;
    while (pos < c->in_n && (nl = memchr(c->in + pos, '\n', c->in_n - pos))) {
        char *line = c->in + pos;
        size_t n = (size_t)(nl - line);
        pos += n + 1;
        if (n && line[n - 1] == '\r') n--;
        line[n] = 0;
        if (n < 3 || line[0] < '2' || line[0] > '5') { conn_fail(c, &c->w->e_proto, "bad reply"); return false; }
        if ((c->st == ST_EHLO || c->st == ST_EHLO_TLS) && n > 4) ehlo_keyword(c, line + 4, n - 4);
        if (n > 3 && line[3] == '-') continue;
        bool was_handshake = c->st == ST_STARTTLS;
        if (!on_reply(c, atoi(line), line)) return false;
        if (was_handshake && pos < c->in_n) { conn_fail(c, &c->w->e_proto, "data after STARTTLS reply"); return false; }
    }
    memmove(c->in, c->in + pos, c->in_n - pos);
    c->in_n -= pos;
    if (c->in_n == IN_SIZE) { conn_fail(c, &c->w->e_proto, "reply line too long"); return false; }
    return true;
}

static void handshake(struct conn *c)
{
    struct worker *w = c->w;
    ERR_clear_error();
    int r = SSL_do_handshake(c->ssl);
    if (r == 1) {
        w->tls++;
        if (SSL_session_reused(c->ssl)) w->resumed++;
        if (!w->tls_name[0])
            snprintf(w->tls_name, sizeof w->tls_name, "%s %s", SSL_get_version(c->ssl), SSL_get_cipher_name(c->ssl));
        watch(c, false);
        send_ehlo(c, ST_EHLO_TLS);
        if (!flush(c)) conn_fail(c, &w->e_closed, "write failed");
        return;
    }
    int e = SSL_get_error(c->ssl, r);
    if (e == SSL_ERROR_WANT_READ) watch(c, false);
    else if (e == SSL_ERROR_WANT_WRITE) watch(c, true);
    else conn_fail(c, &w->e_tls, ERR_reason_error_string(ERR_peek_error()) ? ERR_reason_error_string(ERR_peek_error()) : "TLS handshake failed");
}

static void on_event(struct conn *c, uint32_t events)
{
    struct worker *w = c->w;
    if (c->fd < 0) return;
    c->deadline = now_s() + opt.timeout;
    if (opt.quickack) { /* the kernel clears this flag by itself, so set it at every event */
        int one = 1;
        setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
    }
    if (c->st == ST_CONNECT) {
        int err = 0;
        socklen_t l = sizeof err;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &l);
        if (err) { conn_fail(c, &w->e_connect, strerror(err)); return; }
        if (!(events & EPOLLOUT)) return;
        c->st = ST_GREETING;
        watch(c, false);
    }
    if (c->st == ST_HANDSHAKE) { handshake(c); if (c->st != ST_EHLO_TLS || c->fd < 0) return; }
    if ((events & EPOLLOUT) && !flush(c)) { conn_fail(c, &w->e_closed, "write failed"); return; }
    for (;;) {
        ssize_t r;
        size_t room = IN_SIZE - c->in_n;
        if (c->ssl) {
            ERR_clear_error();
            r = SSL_read(c->ssl, c->in + c->in_n, (int)room);
            if (r <= 0) {
                int e = SSL_get_error(c->ssl, (int)r);
                if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) return;
                r = 0;
            }
        } else {
            r = recv(c->fd, c->in + c->in_n, room, 0);
            if (r < 0) {
                if (errno == EINTR) continue;
                if (errno == EAGAIN) return;
                r = 0;
            }
        }
        if (r == 0) {
            if (c->st == ST_QUIT) conn_done(c, false);
            else conn_fail(c, &w->e_closed, "connection closed by server");
            return;
        }
        c->in_n += (size_t)r;
        SSL *ssl_before = c->ssl;
        if (!on_input(c)) return;
        if (!flush(c)) { conn_fail(c, &w->e_closed, "write failed"); return; }
        if (c->ssl != ssl_before) { handshake(c); return; }
        if (!c->ssl && (size_t)r < room) return; /* nothing more to read now */
    }
}

static void conn_connect(struct conn *c)
{
    c->fd = socket(g_addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) die("socket: %s", strerror(errno));
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->st = ST_CONNECT;
    c->sent = 0;
    c->seq = c->next_seq = -1;
    c->in_n = c->stage_n = 0;
    c->nout = c->iout = 0;
    c->retry_at = 0;
    c->t_conn = now_s();
    c->deadline = c->t_conn + opt.timeout;
    if (connect(c->fd, (struct sockaddr *)&g_addr, g_addrlen) < 0 && errno != EINPROGRESS) {
        conn_fail(c, &c->w->e_connect, strerror(errno));
        return;
    }
    struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT, .data.ptr = c };
    c->want_out = true;
    epoll_ctl(c->w->ep, EPOLL_CTL_ADD, c->fd, &ev);
}

static int on_new_session(SSL *ssl, SSL_SESSION *s)
{
    struct conn *c = SSL_get_app_data(ssl);
    if (c->sess) SSL_SESSION_free(c->sess);
    c->sess = s;
    return 1; /* we keep the reference */
}

static SSL_CTX *make_ctx(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx) die("SSL_CTX_new failed");
    SSL_CTX_set_mode(ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    if (opt.tls_min) SSL_CTX_set_min_proto_version(ctx, opt.tls_min);
    if (opt.tls_max) SSL_CTX_set_max_proto_version(ctx, opt.tls_max);
    if (opt.cafile) {
        if (!SSL_CTX_load_verify_locations(ctx, opt.cafile, NULL)) die("cannot read %s", opt.cafile);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    }
    if (opt.cert && (SSL_CTX_use_certificate_chain_file(ctx, opt.cert) != 1 ||
                     SSL_CTX_use_PrivateKey_file(ctx, opt.key ? opt.key : opt.cert, SSL_FILETYPE_PEM) != 1))
        die("cannot use client certificate %s", opt.cert);
    if (opt.resume) {
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ctx, on_new_session);
    }
    return ctx;
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct epoll_event ev[256];
    double last_scan = now_s();
    for (long i = 0; i < w->nconns; i++) conn_connect(&w->conns[i]);
    for (;;) {
        double t = now_s();
        int wait_ms = 100;
        while (w->wait_head && (w->wait_head->t_next <= t || w->wait_head->fd < 0)) { /* --rate queue */
            struct conn *c = w->wait_head;
            if (!(w->wait_head = c->wait_next)) w->wait_tail = NULL;
            if (c->fd < 0 || c->st != ST_WAIT) continue;
            begin_message(c, false);
            if (!flush(c)) conn_fail(c, &w->e_closed, "write failed");
        }
        if (w->wait_head) {
            double d = (w->wait_head->t_next - t) * 1000;
            if (d < wait_ms) wait_ms = d < 1 ? 1 : (int)d;
        }
        int n = epoll_wait(w->ep, ev, 256, wait_ms);
        for (int i = 0; i < n; i++) on_event(ev[i].data.ptr, ev[i].events);
        t = now_s();
        if (t - g_start > opt.max_time) atomic_store(&g_stop, true);
        if (t - last_scan > 0.02 || n == 0) { /* timeouts, reconnects, end */
            bool alive = false;
            last_scan = t;
            for (long i = 0; i < w->nconns; i++) {
                struct conn *c = &w->conns[i];
                if (c->fd >= 0) {
                    if (c->deadline < t && c->st != ST_WAIT) conn_fail(c, &w->e_timeout, "timeout");
                    else alive = true;
                }
                if (c->fd < 0 && c->retry_at) {
                    if (atomic_load(&g_next) >= opt.messages || atomic_load(&g_stop)) c->retry_at = 0;
                    else if (c->retry_at <= t) conn_connect(c);
                    if (c->retry_at || c->fd >= 0) alive = true;
                }
            }
            if (!alive || (atomic_load(&g_stop) && (t - g_start > opt.max_time || atomic_load(&g_errors) >= opt.max_errors))) break;
        }
    }
    for (long i = 0; i < w->nconns; i++) conn_close(&w->conns[i]);
    return NULL;
}

/* ---------------------------------------------------------------- message body */

static uint32_t crc32_update(uint32_t crc, const char *p, size_t n)
{
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t v = i;
            for (int k = 0; k < 8; k++) v = v & 1 ? 0xEDB88320u ^ (v >> 1) : v >> 1;
            table[i] = v;
        }
    crc = ~crc;
    while (n--) crc = table[(crc ^ (unsigned char)*p++) & 255] ^ (crc >> 8);
    return ~crc;
}

static void make_body(void)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char tmp[640];
    uint64_t rnd = 88172645463325252ull;
    long h = make_headers(tmp, sizeof tmp, 0);
    if (h >= (long)sizeof tmp) die("addresses too long");
    if (opt.size < h + 2) opt.size = h + 2;
    g_body_n = (size_t)(opt.size - h);
    g_body = malloc(g_body_n + 1);
    g_wire = malloc(g_body_n * 2 + 8);
    if (!g_body || !g_wire) die("out of memory");
    size_t i = 0, col = 0, line = 0;
    while (i < g_body_n) {
        size_t left = g_body_n - i;
        if (left == 2 || (col == 76 && left > 3)) {
            g_body[i++] = '\r';
            g_body[i++] = '\n';
            col = 0;
            line++;
            continue;
        }
        rnd ^= rnd << 13; rnd ^= rnd >> 7; rnd ^= rnd << 17;
        g_body[i++] = col == 0 && opt.dots && line % 10 == 3 ? '.' : set[rnd & 63];
        col++;
    }
    for (i = 0; i < g_body_n; i++) {
        if (g_body[i] == '.' && (i == 0 || g_body[i - 1] == '\n')) g_wire[g_wire_n++] = '.';
        g_wire[g_wire_n++] = g_body[i];
    }
    memcpy(g_wire + g_wire_n, ".\r\n", 3);
    g_wire_n += 3;
    g_crc = crc32_update(0, g_body, g_body_n);
}

/* ---------------------------------------------------------------- main */

static long num(const char *name, const char *s, long min, long max)
{
    char *end;
    errno = 0;
    long v = strtol(s, &end, 10);
    if (errno || *end || end == s || v < min || v > max) {
        fprintf(stderr, "smtpload: --%s must be a number from %ld to %ld\n", name, min, max);
        exit(2);
    }
    return v;
}

static int tls_version(const char *s)
{
    if (!strcmp(s, "1.2")) return TLS1_2_VERSION;
    if (!strcmp(s, "1.3")) return TLS1_3_VERSION;
    fputs("smtpload: TLS version must be 1.2 or 1.3\n", stderr);
    exit(2);
}

static void parse(int argc, char **argv)
{
    enum { O_HOST = 1, O_PORT, O_SESS, O_MSGS, O_PER, O_SIZE, O_RCPTS, O_FROM, O_TO, O_UNIQ, O_HELO, O_TLS, O_RESUME,
           O_TMIN, O_TMAX, O_CA, O_SNI, O_CERT, O_KEY, O_PIPE, O_OVER, O_BDAT, O_DOTS, O_RATE, O_THREADS, O_TIMEOUT,
           O_MAXTIME, O_MAXERR, O_ACK, O_NOQUIT, O_QACK, O_VERB, O_HELP };
    static const struct option lo[] = {
        {"host", 1, 0, O_HOST}, {"port", 1, 0, O_PORT}, {"sessions", 1, 0, O_SESS}, {"messages", 1, 0, O_MSGS},
        {"per-session", 1, 0, O_PER}, {"size", 1, 0, O_SIZE}, {"rcpts", 1, 0, O_RCPTS}, {"from", 1, 0, O_FROM},
        {"to-domain", 1, 0, O_TO}, {"unique", 0, 0, O_UNIQ}, {"helo", 1, 0, O_HELO}, {"starttls", 0, 0, O_TLS},
        {"resume", 0, 0, O_RESUME}, {"tls-min", 1, 0, O_TMIN}, {"tls-max", 1, 0, O_TMAX}, {"cafile", 1, 0, O_CA},
        {"servername", 1, 0, O_SNI}, {"cert", 1, 0, O_CERT}, {"key", 1, 0, O_KEY}, {"pipelining", 0, 0, O_PIPE},
        {"overlap", 0, 0, O_OVER}, {"bdat", 0, 0, O_BDAT}, {"dots", 0, 0, O_DOTS}, {"rate", 1, 0, O_RATE},
        {"threads", 1, 0, O_THREADS}, {"timeout", 1, 0, O_TIMEOUT}, {"max-time", 1, 0, O_MAXTIME},
        {"max-errors", 1, 0, O_MAXERR}, {"ack-log", 1, 0, O_ACK}, {"no-quit", 0, 0, O_NOQUIT}, {"quickack", 0, 0, O_QACK},
        {"verbose", 0, 0, O_VERB}, {"help", 0, 0, O_HELP}, {0, 0, 0, 0}};
    int k;
    while ((k = getopt_long(argc, argv, "", lo, NULL)) != -1)
        switch (k) {
        case O_HOST: opt.host = optarg; break;
        case O_PORT: num("port", optarg, 1, 65535); opt.port = optarg; break;
        case O_SESS: opt.sessions = num("sessions", optarg, 1, 50000); break;
        case O_MSGS: opt.messages = num("messages", optarg, 1, 1000000000); break;
        case O_PER: opt.per_session = num("per-session", optarg, 0, 1000000000); break;
        case O_SIZE: opt.size = num("size", optarg, 1, 1L << 30); break;
        case O_RCPTS: opt.rcpts = num("rcpts", optarg, 1, 10000); break;
        case O_FROM: opt.from = optarg; break;
        case O_TO: opt.to_domain = optarg; break;
        case O_UNIQ: opt.unique = true; break;
        case O_HELO: opt.helo = optarg; break;
        case O_TLS: opt.starttls = true; break;
        case O_RESUME: opt.resume = true; break;
        case O_TMIN: opt.tls_min = tls_version(optarg); break;
        case O_TMAX: opt.tls_max = tls_version(optarg); break;
        case O_CA: opt.cafile = optarg; break;
        case O_SNI: opt.servername = optarg; break;
        case O_CERT: opt.cert = optarg; break;
        case O_KEY: opt.key = optarg; break;
        case O_PIPE: opt.pipelining = true; break;
        case O_OVER: opt.pipelining = opt.overlap = true; break;
        case O_BDAT: opt.bdat = true; break;
        case O_DOTS: opt.dots = true; break;
        case O_RATE: opt.rate = (double)num("rate", optarg, 1, 10000000); break;
        case O_THREADS: opt.threads = num("threads", optarg, 1, 64); break;
        case O_TIMEOUT: opt.timeout = num("timeout", optarg, 1, 3600); break;
        case O_MAXTIME: opt.max_time = num("max-time", optarg, 1, 86400); break;
        case O_MAXERR: opt.max_errors = num("max-errors", optarg, 1, 1000000000); break;
        case O_ACK: opt.ack_log = optarg; break;
        case O_NOQUIT: opt.no_quit = true; break;
        case O_QACK: opt.quickack = true; break;
        case O_VERB: opt.verbose = true; break;
        case O_HELP: usage(stdout); exit(0);
        default: usage(stderr); exit(2);
        }
    if (optind != argc) { usage(stderr); exit(2); }
    if (opt.rate > 0 && opt.overlap) { fputs("smtpload: --rate and --overlap exclude each other\n", stderr); exit(2); }
    if (opt.threads > opt.sessions) opt.threads = opt.sessions;
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    signal(SIGPIPE, SIG_IGN);

    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *ai;
    int e = getaddrinfo(opt.host, opt.port, &hints, &ai);
    if (e) die("%s port %s: %s", opt.host, opt.port, gai_strerror(e));
    memcpy(&g_addr, ai->ai_addr, ai->ai_addrlen);
    g_addrlen = ai->ai_addrlen;
    freeaddrinfo(ai);

    struct rlimit rl;
    if (!getrlimit(RLIMIT_NOFILE, &rl)) { rl.rlim_cur = rl.rlim_max; setrlimit(RLIMIT_NOFILE, &rl); }

    time_t tt = time(NULL);
    struct tm tm;
    strftime(g_date, sizeof g_date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&tt, &tm));
    make_body();

    FILE *ack = NULL;
    if (opt.ack_log && !(ack = fopen(opt.ack_log, "a"))) die("%s: %s", opt.ack_log, strerror(errno));

    struct worker *ws = calloc((size_t)opt.threads, sizeof *ws);
    if (!ws) die("out of memory");
    for (long i = 0; i < opt.threads; i++) {
        struct worker *w = &ws[i];
        w->nconns = opt.sessions / opt.threads + (i < opt.sessions % opt.threads);
        w->conns = calloc((size_t)w->nconns, sizeof *w->conns);
        w->ep = epoll_create1(EPOLL_CLOEXEC);
        w->ctx = make_ctx();
        w->ack = ack;
        if (!w->conns || w->ep < 0) die("out of memory or descriptors");
        for (long k = 0; k < w->nconns; k++) {
            w->conns[k].w = w;
            w->conns[k].fd = -1;
            w->conns[k].seq = w->conns[k].next_seq = -1;
        }
    }
    double wall0 = wall_s();
    g_start = now_s();
    for (long i = 1; i < opt.threads; i++)
        if (pthread_create(&ws[i].th, NULL, worker_main, &ws[i])) die("pthread_create failed");
    worker_main(&ws[0]);
    for (long i = 1; i < opt.threads; i++) pthread_join(ws[i].th, NULL);
    double elapsed = now_s() - g_start;
    if (ack) fclose(ack);

    struct worker s = { 0 };
    for (long i = 0; i < opt.threads; i++) {
        struct worker *w = &ws[i];
        hist_merge(&s.lat, &w->lat);
        hist_merge(&s.setup, &w->setup);
        s.accepted += w->accepted; s.r4xx += w->r4xx; s.r5xx += w->r5xx;
        s.e_connect += w->e_connect; s.e_tls += w->e_tls; s.e_proto += w->e_proto;
        s.e_closed += w->e_closed; s.e_timeout += w->e_timeout;
        s.sessions += w->sessions; s.tls += w->tls; s.resumed += w->resumed;
        if (w->t_last > s.t_last) s.t_last = w->t_last;
        if (w->tls_name[0]) memcpy(s.tls_name, w->tls_name, sizeof s.tls_name);
    }
    double secs = s.t_last > g_start ? s.t_last - g_start : elapsed;
    struct rusage ru;
    getrusage(RUSAGE_SELF, &ru);
    printf("{\"tool\":\"smtpload\",\"messages\":%ld,\"accepted\":%ld,\"size\":%ld,\"sessions\":%ld,\"per_session\":%ld,"
           "\"rejected_4xx\":%ld,\"rejected_5xx\":%ld,\"errors\":{\"connect\":%ld,\"tls\":%ld,\"protocol\":%ld,\"closed\":%ld,\"timeout\":%ld},"
           "\"sessions_opened\":%ld,\"tls_handshakes\":%ld,\"tls_resumed\":%ld,\"tls\":\"%s\","
           "\"seconds\":%.4f,\"msgs_per_s\":%.1f,\"mbytes_per_s\":%.2f,",
           opt.messages, s.accepted, opt.size, opt.sessions, opt.per_session, s.r4xx, s.r5xx, s.e_connect, s.e_tls, s.e_proto,
           s.e_closed, s.e_timeout, s.sessions, s.tls, s.resumed, s.tls_name, secs, s.accepted / secs,
           (double)s.accepted * opt.size / secs / 1e6);
    hist_json("latency_ms", &s.lat);
    putchar(',');
    hist_json("setup_ms", &s.setup);
    printf(",\"t_start\":%.6f,\"t_end\":%.6f,\"cpu_s\":%.3f}\n", wall0, wall0 + secs,
           ru.ru_utime.tv_sec + ru.ru_stime.tv_sec + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6);
    return s.accepted == opt.messages ? 0 : 1;
}
