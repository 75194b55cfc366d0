/*
 * Latency histogram for smtpload and smtpsink: microseconds in buckets of about 3 % width, linear
 * below 32 us, so that percentiles of any number of messages cost a fixed 10 KB.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H
#include <stdint.h>

#define HIST_SUB 32
#define HIST_N (40 * HIST_SUB)

struct hist { uint64_t n, max; double sum; uint64_t b[HIST_N]; };

static int hist_index(uint64_t us)
{
    if (us < HIST_SUB) return (int)us;
    int e = 63 - __builtin_clzll(us) - 5; /* power of two above the linear part */
    int i = (e + 1) * HIST_SUB + (int)((us >> e) - HIST_SUB);
    return i < HIST_N ? i : HIST_N - 1;
}

static double hist_value(int i) /* middle of bucket i, in us */
{
    if (i < HIST_SUB) return i;
    int e = i / HIST_SUB - 1;
    return ((double)(i % HIST_SUB + HIST_SUB) + 0.5) * (double)(1ull << e);
}

static void hist_add(struct hist *h, double seconds)
{
    uint64_t us = seconds > 0 ? (uint64_t)(seconds * 1e6) : 0;
    h->n++;
    h->sum += us;
    if (us > h->max) h->max = us;
    h->b[hist_index(us)]++;
}

static void hist_merge(struct hist *a, const struct hist *b)
{
    a->n += b->n;
    a->sum += b->sum;
    if (b->max > a->max) a->max = b->max;
    for (int i = 0; i < HIST_N; i++) a->b[i] += b->b[i];
}

static double hist_pct(const struct hist *h, double p) /* in ms */
{
    if (!h->n) return 0;
    uint64_t want = (uint64_t)(p / 100.0 * h->n), seen = 0;
    if (want >= h->n) want = h->n - 1;
    for (int i = 0; i < HIST_N; i++)
        if ((seen += h->b[i]) > want) {
            double v = hist_value(i);
            return (v > h->max ? h->max : v) / 1000;
        }
    return h->max / 1000.0;
}

#endif
