/*
 * rustydb_listen: LISTENs on the event channels and tells what arrives: a line an event, or raw JSON, and at the end how
 * many of which kind, and how long they took from their emission (ts_us in the payload, by the server's clock) to here.
 *
 *   rustydb_listen [-d conninfo] [-c channel,...] [-t seconds] [-r lines_per_second] [-q] [-j]
 *
 *   -c   default: all six channels
 *   -t   ends after so many seconds; without it, on SIGINT or SIGTERM
 *   -r   prints at most so many lines a second; the summary counts everything
 *   -q   prints the summary only
 *   -j   for programs: each payload as it came, a line each, and the summary as {"summary": {...}}
 *
 * Exit status: 0; 1 usage or no connection; 2 the connection was lost (the summary is printed); 3 no event arrived.
 *
 * "listening" goes to standard error when every LISTEN is in force. Memory is bounded: kinds are counted in a fixed table,
 * latencies in a histogram. The JSON is read by a scanner that knows strings and nesting and no more: names in events are
 * whatever users call their tables, so looking for a substring would find it in the wrong place.
 */
#define _GNU_SOURCE				/* ppoll */
#include <errno.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ALL_CHANNELS "rustydb_buffer_pool,rustydb_lsm,rustydb_io,rustydb_tiers,rustydb_pages,rustydb_columnar"
#define MAX_KINDS 64			/* there are 24 types; what is beyond the table is counted as "other" */
#define MAX_NAME 40
#define MAX_LINE 400

/* ---------------------------------------------------------------- latencies */

/* Log-linear: 32 buckets for each power of two, so a quantile is within 3 % of the truth. Microseconds. */
#define SUB_BITS 5
#define SUB (1 << SUB_BITS)
#define BUCKETS ((64 - SUB_BITS + 1) * SUB)

typedef struct Histogram
{
	uint64_t	count;
	uint64_t	max;
	uint64_t	bucket[BUCKETS];
} Histogram;

static int
bucket_of(uint64_t v)
{
	int			shift;

	if (v < SUB)
		return (int) v;
	shift = 63 - __builtin_clzll(v) - SUB_BITS;
	return (shift + 1) * SUB + (int) ((v >> shift) - SUB);
}

static uint64_t
bucket_middle(int b)
{
	int			shift = b / SUB - 1;

	if (shift <= 0)
		return (uint64_t) b;
	return ((uint64_t) (b % SUB + SUB) << shift) + (1ULL << shift) / 2;
}

static void
histogram_add(Histogram *h, uint64_t v)
{
	h->count++;
	h->bucket[bucket_of(v)]++;
	if (v > h->max)
		h->max = v;
}

static uint64_t
histogram_quantile(const Histogram *h, double q)
{
	uint64_t	rank = (uint64_t) (q * (double) h->count);
	uint64_t	seen = 0;

	for (int b = 0; b < BUCKETS; b++)
	{
		seen += h->bucket[b];
		if (seen > rank)
			return bucket_middle(b) < h->max ? bucket_middle(b) : h->max;
	}
	return h->max;
}

/* ---------------------------------------------------------------- JSON */

/* A piece of the payload; strings without their quotes, escapes left as they are. */
typedef struct Span
{
	const char *at;
	size_t		len;
} Span;

static const char *
skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

/* p is at a quote; returns behind the closing one, or NULL. */
static const char *
scan_string(const char *p, Span *out)
{
	const char *start = ++p;

	while (*p && *p != '"')
	{
		if (*p == '\\' && p[1])
			p++;
		p++;
	}
	if (*p != '"')
		return NULL;
	*out = (Span) {start, (size_t) (p - start)};
	return p + 1;
}

/* Any value; returns behind it, or NULL. out is the text of it, for strings without the quotes. */
static const char *
scan_value(const char *p, Span *out)
{
	const char *start = p;
	int			depth = 0;
	Span		ignored;

	if (*p == '"')
		return scan_string(p, out);
	for (; *p; p++)
	{
		if (*p == '"')
		{
			if ((p = scan_string(p, &ignored)) == NULL)
				return NULL;
			p--;
		}
		else if (*p == '{' || *p == '[')
			depth++;
		else if (depth > 0 && (*p == '}' || *p == ']'))
		{
			if (--depth == 0)
			{
				p++;
				break;
			}
		}
		else if (depth == 0 && strchr(",}] \t\r\n", *p))
			break;
	}
	if (depth != 0 || p == start)
		return NULL;
	*out = (Span) {start, (size_t) (p - start)};
	return p;
}

/* The next member of the object that *p is in (at its brace, or behind a member). False at the end, or on nonsense. */
static bool
next_member(const char **p, Span *key, Span *value)
{
	const char *q = skip_space(*p);

	if (*q == '{' || *q == ',')
		q = skip_space(q + 1);
	if (*q != '"' || (q = scan_string(q, key)) == NULL)
		return false;
	q = skip_space(q);
	if (*q != ':' || (q = scan_value(skip_space(q + 1), value)) == NULL)
		return false;
	*p = q;
	return true;
}

static bool
span_is(Span s, const char *name)
{
	return s.len == strlen(name) && memcmp(s.at, name, s.len) == 0;
}

static int64_t
span_int(Span s)
{
	return s.len > 0 ? strtoll(s.at, NULL, 10) : 0;
}

/* What an envelope says. fields is the object inside data.<type>, or data itself of a gap record. */
typedef struct Event
{
	Span		message_type;
	Span		type;
	Span		fields;
	int64_t		ts_us;
	int64_t		weight;
	int64_t		dropped;
	bool		is_gap;
} Event;

static bool
parse_event(const char *payload, Event *e)
{
	const char *p = skip_space(payload);
	Span		key;
	Span		value;
	Span		data = {NULL, 0};

	*e = (Event) {.weight = 1};
	if (*p != '{')
		return false;
	while (next_member(&p, &key, &value))
	{
		if (span_is(key, "message_type"))
			e->message_type = value;
		else if (span_is(key, "data"))
			data = value;
		else if (span_is(key, "ts_us"))
			e->ts_us = span_int(value);
		else if (span_is(key, "weight"))
			e->weight = span_int(value);
	}
	if (e->message_type.at == NULL || data.at == NULL || *data.at != '{')
		return false;

	e->is_gap = span_is(e->message_type, "gap");
	e->fields = data;
	e->type = e->message_type;
	p = data.at;
	if (!e->is_gap && (!next_member(&p, &e->type, &e->fields) || *e->fields.at != '{'))
		return false;
	for (p = e->fields.at; next_member(&p, &key, &value);)
	{
		if (span_is(key, "weight"))
			e->weight = span_int(value);
		else if (span_is(key, "dropped"))
			e->dropped = span_int(value);
	}
	return true;
}

/* ---------------------------------------------------------------- counting */

typedef struct Kind
{
	char		message_type[MAX_NAME];
	char		type[MAX_NAME];
	uint64_t	count;
	uint64_t	weight;			/* of how many those are the samples */
	int64_t		printed_at;
} Kind;

static Kind kinds[MAX_KINDS];
static int	nkinds;
static Histogram latency;
static uint64_t events;
static uint64_t gaps;
static uint64_t dropped;
static uint64_t malformed;

static Kind *
kind_of(const Event *e)
{
	char		message_type[MAX_NAME];
	char		type[MAX_NAME];

	snprintf(message_type, MAX_NAME, "%.*s", (int) e->message_type.len, e->message_type.at);
	snprintf(type, MAX_NAME, "%.*s", (int) e->type.len, e->type.at);
	for (int i = 0; i < nkinds; i++)
		if (strcmp(kinds[i].type, type) == 0 && strcmp(kinds[i].message_type, message_type) == 0)
			return &kinds[i];
	if (nkinds == MAX_KINDS)
		return &kinds[MAX_KINDS - 1];
	if (nkinds == MAX_KINDS - 1)
	{
		strcpy(message_type, "other");
		strcpy(type, "other");
	}
	strcpy(kinds[nkinds].message_type, message_type);
	strcpy(kinds[nkinds].type, type);
	return &kinds[nkinds++];
}

static int64_t
now_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* ---------------------------------------------------------------- printing */

static bool quiet;
static bool json;
static int	max_lines;			/* a second; 0 is no limit */
static int	lines_this_second;
static uint64_t withheld_this_second;
static int64_t second_began;

/*
 * Whether a line of this kind may be printed now. A kind takes at most a third of the allowance, evenly spread, so that a
 * flood of one does not hide the others; and one that was not printed for a second is, so that a rare kind is seen.
 */
static bool
may_print(Kind *kind)
{
	int64_t		now = now_us(CLOCK_MONOTONIC);
	int64_t		since = now - kind->printed_at;

	if (max_lines == 0)
		return true;
	if (now - second_began >= 1000000)
	{
		if (withheld_this_second > 0 && !json)
			printf("              ... and %" PRIu64 " more in this second\n", withheld_this_second);
		second_began = now;
		lines_this_second = 0;
		withheld_this_second = 0;
	}
	if (since < 3000000 / max_lines || (since < 1000000 && lines_this_second >= max_lines))
	{
		withheld_this_second++;
		return false;
	}
	kind->printed_at = now;
	lines_this_second++;
	return true;
}

/* Appends to a line, as far as there is room. */
static void __attribute__((format(printf, 3, 4)))
append(char *line, size_t *len, const char *format,...)
{
	va_list		args;
	int			n;

	va_start(args, format);
	n = vsnprintf(line + *len, MAX_LINE - *len, format, args);
	va_end(args);
	if (n > 0)
		*len = *len + (size_t) n < MAX_LINE ? *len + (size_t) n : MAX_LINE - 1;
}

/* "12:00:00.123  buffer_pool  PageMiss  page_id=1 relation=a  (42 ms)" */
static void
print_event(const Event *e, int64_t arrived, int64_t took)
{
	char		line[MAX_LINE];
	char		clock[16];
	size_t		len = 0;
	time_t		seconds = (time_t) (arrived / 1000000);
	const char *p = e->fields.at;
	size_t		category = e->message_type.len;
	struct tm	tm;
	Span		key;
	Span		value;

	if (category > 6 && memcmp(e->message_type.at + category - 6, "_event", 6) == 0)
		category -= 6;
	strftime(clock, sizeof clock, "%H:%M:%S", localtime_r(&seconds, &tm));
	append(line, &len, "%s.%03d  %-11.*s  %-19.*s ", clock, (int) (arrived / 1000 % 1000),
		   (int) category, e->message_type.at, (int) e->type.len, e->type.at);
	while (next_member(&p, &key, &value))
	{
		if (span_is(key, "timestamp"))
			continue;
		append(line, &len, " %.*s=", (int) key.len, key.at);
		/* value.at is the text of a number, or behind the quote of a string */
		if (value.at[-1] != '"' && memchr(value.at, '.', value.len))
			append(line, &len, "%.3f", strtod(value.at, NULL));
		else
			append(line, &len, "%.*s", (int) value.len, value.at);
	}
	if (took >= 0)
		append(line, &len, "  (%.1f ms)", (double) took / 1000);
	puts(line);
}

static void
take_payload(const char *payload)
{
	int64_t		arrived = now_us(CLOCK_REALTIME);
	int64_t		took = -1;
	Kind	   *kind;
	Event		e;

	if (!parse_event(payload, &e))
	{
		malformed++;
		if (!quiet)
			printf("%s%s\n", json ? "" : "not an event: ", payload);
		return;
	}
	if (e.is_gap)
	{
		gaps++;
		dropped += (uint64_t) e.dropped;
	}
	else
		events++;
	kind = kind_of(&e);
	kind->count++;
	kind->weight += (uint64_t) e.weight;
	if (e.ts_us > 0 && !e.is_gap)
	{
		/* The clock may have been set back in between. */
		took = arrived > e.ts_us ? arrived - e.ts_us : 0;
		histogram_add(&latency, (uint64_t) took);
	}
	if (quiet || !may_print(kind))
		return;
	if (json)
		puts(payload);
	else
		print_event(&e, arrived, took);
}

static int
compare_kinds(const void *a, const void *b)
{
	const Kind *x = a;
	const Kind *y = b;
	int			c = strcmp(x->message_type, y->message_type);

	return c != 0 ? c : strcmp(x->type, y->type);
}

static void
print_summary(double seconds)
{
	const char *last = "";

	printf("\n%-20s %-20s %10s %10s %12s\n", "category", "type", "events", "a second", "stand for");
	for (int i = 0; i < nkinds; i++)
	{
		printf("%-20s %-20s %10" PRIu64 " %10.1f %12" PRIu64 "\n",
			   strcmp(last, kinds[i].message_type) == 0 ? "" : kinds[i].message_type, kinds[i].type,
			   kinds[i].count, (double) kinds[i].count / seconds, kinds[i].weight);
		last = kinds[i].message_type;
	}
	printf("\ntotal: %" PRIu64 " events in %.1f s, %.1f a second\n", events, seconds, (double) events / seconds);
	if (latency.count > 0)
		printf("latency from emission to receipt: median %.1f ms, p99 %.1f ms, max %.1f ms\n",
			   (double) histogram_quantile(&latency, 0.5) / 1000, (double) histogram_quantile(&latency, 0.99) / 1000,
			   (double) latency.max / 1000);
	printf("gaps: %" PRIu64 " (%" PRIu64 " events lost)\n", gaps, dropped);
	if (malformed > 0)
		printf("not events: %" PRIu64 "\n", malformed);
}

static void
print_json_summary(double seconds)
{
	printf("{\"summary\": {\"seconds\": %.3f, \"events\": %" PRIu64 ", \"gaps\": %" PRIu64 ", \"dropped\": %" PRIu64
		   ", \"malformed\": %" PRIu64, seconds, events, gaps, dropped, malformed);
	if (latency.count > 0)
		printf(", \"latency_us\": {\"median\": %" PRIu64 ", \"p99\": %" PRIu64 ", \"max\": %" PRIu64 "}",
			   histogram_quantile(&latency, 0.5), histogram_quantile(&latency, 0.99), latency.max);
	else
		printf(", \"latency_us\": null");
	printf(", \"types\": [");
	for (int i = 0; i < nkinds; i++)
		printf("%s{\"message_type\": \"%s\", \"type\": \"%s\", \"events\": %" PRIu64 ", \"weight\": %" PRIu64 "}",
			   i > 0 ? ", " : "", kinds[i].message_type, kinds[i].type, kinds[i].count, kinds[i].weight);
	printf("]}}\n");
}

/* ---------------------------------------------------------------- listening */

static volatile sig_atomic_t stopped;

static void
on_signal(int signo)
{
	(void) signo;
	stopped = 1;
}

/* Blocked everywhere but in ppoll, so that none is missed between the test and the wait. */
static void
catch_signals(sigset_t *unblocked)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t	blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, unblocked);
	sigdelset(unblocked, SIGINT);
	sigdelset(unblocked, SIGTERM);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static bool
listen_on(PGconn *conn, char *channels)
{
	for (char *name = strtok(channels, ", "); name; name = strtok(NULL, ", "))
	{
		char	   *quoted = PQescapeIdentifier(conn, name, strlen(name));
		char		command[256];
		PGresult   *result;
		bool		ok;

		snprintf(command, sizeof command, "LISTEN %s", quoted ? quoted : "");
		PQfreemem(quoted);
		result = PQexec(conn, command);
		ok = PQresultStatus(result) == PGRES_COMMAND_OK;
		PQclear(result);
		if (!ok)
			return false;
	}
	return true;
}

static void
take_notifications(PGconn *conn)
{
	PGnotify   *notify;

	while ((notify = PQnotifies(conn)) != NULL)
	{
		take_payload(notify->extra);
		PQfreemem(notify);
	}
	fflush(stdout);
}

/* Until the time is up (deadline 0: never), a signal, or the end of the connection, which gives false. */
static bool
receive(PGconn *conn, int64_t deadline, const sigset_t *unblocked)
{
	for (;;)
	{
		struct pollfd fd = {.fd = PQsocket(conn), .events = POLLIN};
		struct timespec wait;
		int64_t		left = deadline - now_us(CLOCK_MONOTONIC);

		take_notifications(conn);
		if (stopped || (deadline > 0 && left <= 0))
			return true;
		wait.tv_sec = left / 1000000;
		wait.tv_nsec = left % 1000000 * 1000;
		if (ppoll(&fd, 1, deadline > 0 ? &wait : NULL, unblocked) < 0 && errno != EINTR)
			return false;
		if (fd.revents != 0 && PQconsumeInput(conn) == 0)
		{
			take_notifications(conn);
			return false;
		}
	}
}

static void
usage(void)
{
	fputs("usage: rustydb_listen [-d conninfo] [-c channel,...] [-t seconds] [-r lines_per_second] [-q] [-j]\n", stderr);
	exit(1);
}

int
main(int argc, char **argv)
{
	const char *conninfo = "";
	char	   *channels = NULL;
	double		seconds = 0;
	double		took;
	int64_t		began;
	sigset_t	unblocked;
	PGconn	   *conn;
	bool		alive;
	int			option;

	while ((option = getopt(argc, argv, "d:c:t:r:qj")) != -1)
	{
		switch (option)
		{
			case 'd': conninfo = optarg; break;
			case 'c': channels = optarg; break;
			case 't': seconds = atof(optarg); break;
			case 'r': max_lines = atoi(optarg); break;
			case 'q': quiet = true; break;
			case 'j': json = true; break;
			default: usage();
		}
	}
	if (optind < argc || seconds < 0 || max_lines < 0)
		usage();

	conn = PQconnectdb(conninfo);
	channels = strdup(channels ? channels : ALL_CHANNELS);
	if (PQstatus(conn) != CONNECTION_OK || !listen_on(conn, channels))
	{
		fprintf(stderr, "rustydb_listen: %s", PQerrorMessage(conn));
		return 1;
	}
	catch_signals(&unblocked);
	fputs("listening\n", stderr);

	began = now_us(CLOCK_MONOTONIC);
	alive = receive(conn, seconds > 0 ? began + (int64_t) (seconds * 1e6) : 0, &unblocked);
	took = (double) (now_us(CLOCK_MONOTONIC) - began) / 1e6;
	if (!alive)
		fprintf(stderr, "rustydb_listen: the connection was lost: %s\n", PQerrorMessage(conn));

	qsort(kinds, (size_t) nkinds, sizeof(Kind), compare_kinds);
	if (json)
		print_json_summary(took);
	else
		print_summary(took);
	free(channels);
	PQfinish(conn);
	return !alive ? 2 : events == 0 ? 3 : 0;
}
