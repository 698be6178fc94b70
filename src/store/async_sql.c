/*
 * async_sql.c
 *	  SQL entry points of the asynchronous requests: asked for now, answered by
 *	  disk_process_async_ops().
 *
 * A request belongs to its session, and goes away with it.  A read starts at
 * once: through io_uring into memory of its own, or, where that is not to be
 * had, as advice to the kernel.  A write is in the WAL and in shared buffers
 * when it was asked for, the WAL writer has been told, and what is left is the
 * file.
 *
 * Each request is answered in a subtransaction, with its privileges checked
 * again: what fails is the request, and not its neighbours.
 */
#include "postgres.h"

#include "store/async_sql.h"

#include <fcntl.h>
#include <unistd.h>

#include "access/xact.h"
#include "access/xlog.h"
#include "disk/io_count.h"
#include "disk/io_events.h"
#include "disk/request_queue.h"
#include "disk/segments.h"
#include "disk/uring.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/fd.h"
#include "store/pending.h"
#include "store/store_args.h"
#include "store/store_read.h"
#include "store/store_write.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(rdb_disk_read_page_async);
PG_FUNCTION_INFO_V1(rdb_disk_write_page_async);
PG_FUNCTION_INFO_V1(rdb_disk_process_async_ops);

typedef struct Request
{
	bool		write;
	Oid			relid;
	int64		page_id;
	int64		asked_us;
	int64		read_us;		/* from asking to the end, if that was seen */
	bool		started;		/* io is, or was, in flight */
	bool		ended;
	RdbRelFile	file;			/* that io reads */
	RdbIoRequest io;
	char		page[BLCKSZ];
} Request;

/* The answer to a request, before it becomes a row. */
typedef struct Answer
{
	bytea	   *page;
	char	   *error;
} Answer;

/* waiting[i] is what the queue knows of requests[i]. */
static RdbWaiting *waiting;
static Request **requests;
static int	nrequests = 0;
static int	room = 0;
static int64 last_id = 0;

/* ---- asking ---- */

static void
make_room(void)
{
	int			more = Max(16, room * 2);

	if (nrequests >= rdb_max_pending)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many asynchronous requests"),
				 errdetail("This session has %d, which is as many as rustydb.max_pending_writes allows.", nrequests),
				 errhint("Call rustydb.disk_process_async_ops().")));
	if (nrequests < room)
		return;
	waiting = waiting ? repalloc(waiting, more * sizeof(RdbWaiting)) :
		MemoryContextAlloc(TopMemoryContext, more * sizeof(RdbWaiting));
	requests = requests ? repalloc(requests, more * sizeof(Request *)) :
		MemoryContextAlloc(TopMemoryContext, more * sizeof(Request *));
	room = more;
}

static RdbPriority
priority_arg(text *arg)
{
	char	   *name = text_to_cstring(arg);
	int			priority = rdb_priority_by_name(name);

	if (priority < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid priority: \"%s\"", name),
				 errhint("Priorities are \"low\", \"normal\" and \"high\".")));
	return (RdbPriority) priority;
}

static Request *
add_request(Relation rel, BlockNumber block, bool write, RdbPriority priority)
{
	Request    *request = MemoryContextAlloc(TopMemoryContext, sizeof(Request));

	request->write = write;
	request->relid = RelationGetRelid(rel);
	request->page_id = block;
	request->asked_us = rdb_unix_us();
	request->read_us = RDB_IO_NOT_TIMED;
	request->started = request->ended = false;
	requests[nrequests] = request;
	waiting[nrequests].id = ++last_id;
	waiting[nrequests].priority = priority;
	waiting[nrequests].passed_over = 0;
	nrequests++;
	return request;
}

static void
remove_request(int i)
{
	pfree(requests[i]);
	nrequests--;
	memmove(&requests[i], &requests[i + 1], (nrequests - i) * sizeof(Request *));
	memmove(&waiting[i], &waiting[i + 1], (nrequests - i) * sizeof(RdbWaiting));
}

/* ---- reads in flight ---- */

/* It ended some time ago: the session did something else meanwhile. */
static void
read_ended(RdbIoRequest *io)
{
	Request    *request = (Request *) ((char *) io - offsetof(Request, io));

	request->ended = true;
	close(io->fd);
	ReleaseExternalFD();
}

/* It was being waited for, or had just begun. */
static void
read_ended_now(RdbIoRequest *io)
{
	Request    *request = (Request *) ((char *) io - offsetof(Request, io));

	request->read_us = rdb_unix_us() - request->asked_us;
	read_ended(io);
}

/* A descriptor that may stay open over the end of the transaction. */
static int
open_segment(const RdbRelFile *file, BlockNumber block)
{
	char		path[MAXPGPATH];
	int			fd;

	if (!AcquireExternalFD())
		return -1;
	rdb_compat_relpath(file, MAIN_FORKNUM, path);
	if (block >= RELSEG_SIZE)
		snprintf(path + strlen(path), sizeof(path) - strlen(path), ".%u", block / RELSEG_SIZE);
	fd = BasicOpenFile(path, O_RDONLY | PG_BINARY);
	if (fd < 0)
		ReleaseExternalFD();
	return fd;
}

/* Start reading; true when the request is in flight. */
static bool
start_read(Request *request, Relation rel, BlockNumber block)
{
	RdbIoRequest *io = &request->io;

	if (rdb_io_method != RDB_IO_URING || RelationUsesLocalBuffers(rel))
		return false;
	rdb_compat_rel_file(rel, &request->file);
	if (rdb_dirty_in_buffers(&request->file, block))
		return false;
	io->fd = open_segment(&request->file, block);
	if (io->fd < 0)
		return false;
	io->offset = rdb_segment_offset(block);
	io->iov[0].iov_base = request->page;
	io->iov[0].iov_len = BLCKSZ;
	io->niov = 1;
	io->error = 0;
	io->done = 0;
	rdb_uring_reap(false, read_ended);
	request->started = rdb_uring_start(io);
	if (!request->started)
	{
		close(io->fd);
		ReleaseExternalFD();
		return false;
	}
	/* what the kernel has in its cache has been read already */
	rdb_uring_reap(false, read_ended_now);
	return true;
}

/*
 * SQL: disk_read_page_async(store regclass, page_id bigint, priority text) →
 * request_id bigint.  Errors: 22023 for a priority that is none, 53400 when as
 * many requests wait as may.
 */
Datum
rdb_disk_read_page_async(PG_FUNCTION_ARGS)
{
	Relation	rel = rdb_store_open(PG_GETARG_OID(0), RDB_STORE_READ,
									 "disk_read_page_async");
	BlockNumber block = rdb_store_page_id(rel, PG_GETARG_INT64(1));
	RdbPriority priority = priority_arg(PG_GETARG_TEXT_PP(2));

	make_room();
	if (!start_read(add_request(rel, block, false, priority), rel, block))
		(void) PrefetchBuffer(rel, MAIN_FORKNUM, block);
	RelationClose(rel);
	PG_RETURN_INT64(last_id);
}

/*
 * SQL: disk_write_page_async(store regclass, page_id bigint, page bytea,
 * priority text) → request_id bigint.
 */
Datum
rdb_disk_write_page_async(PG_FUNCTION_ARGS)
{
	Relation	rel = rdb_store_open(PG_GETARG_OID(0), RDB_STORE_WRITE,
									 "disk_write_page_async");
	BlockNumber block = rdb_store_page_id(rel, PG_GETARG_INT64(1));
	char	   *page = rdb_page_image_arg(block, PG_GETARG_BYTEA_PP(2));
	RdbPriority priority = priority_arg(PG_GETARG_TEXT_PP(3));

	make_room();
	rdb_store_put(rel, block, page);
	if (RelationNeedsWAL(rel))
		XLogSetAsyncXactLSN(XactLastRecEnd);
	(void) add_request(rel, block, true, priority);
	RelationClose(rel);
	PG_RETURN_INT64(last_id);
}

/* ---- answering ---- */

/* What ends while this waits is seen to end. */
static void
wait_for(Request *request)
{
	rdb_uring_reap(false, read_ended);
	while (request->started && !request->ended)
		rdb_uring_reap(true, read_ended_now);
}

/* The page that was read in flight, if it was, and of the relation's file. */
static bool
was_read(Request *request, const RdbRelFile *now)
{
	return request->started && request->io.error == 0 &&
		request->io.done == BLCKSZ &&
		memcmp(&request->file, now, sizeof(*now)) == 0;
}

static bytea *
answer_read(Request *request)
{
	Relation	rel = rdb_store_open(request->relid, RDB_STORE_READ, "disk_read_page_async");
	BlockNumber block = rdb_store_page_id(rel, request->page_id);
	RdbReadReport report = {0};
	RdbRelFile	file;
	bytea	   *page;

	rdb_compat_rel_file(rel, &file);
	if (was_read(request, &file))
	{
		report.bytes = BLCKSZ;
		report.us = request->read_us;
		rdb_io_count(RDB_IO_URING_OPS, 1);
		rdb_io_count_request(false, report.bytes, report.us);
		rdb_store_settle_read(rel, block, request->page);
		rdb_store_require_allocated(rel, block, request->page);
	}
	else
	{
		char	   *place = request->page;

		rdb_store_read(rel, &block, 1, &place, RDB_IO_SYNC, &report);
	}
	if (report.bytes > 0 && report.us != RDB_IO_NOT_TIMED)
		rdb_io_completed(RDB_READ_COMPLETED, &file, block, report.us, report.bytes);
	page = DatumGetByteaP(rdb_page_result(request->page));
	RelationClose(rel);
	return page;
}

static void
answer_write(Request *request)
{
	Relation	rel = rdb_store_open(request->relid, RDB_STORE_WRITE, "disk_write_page_async");
	BlockNumber block = rdb_store_page_id(rel, request->page_id);
	RdbWriteReport report = {0};

	rdb_store_write_files(rel, &block, 1, (RdbIoMethod) rdb_io_method, &report);
	RelationClose(rel);
}

/*
 * Whether the error is the session's or the server's and not the request's:
 * cancelled, a deadlock, a lock timeout, out of memory.  Then the statement
 * fails, and the request stays.
 */
static bool
is_no_answer(int sqlerrcode)
{
	switch (ERRCODE_TO_CATEGORY(sqlerrcode))
	{
		case ERRCODE_TRANSACTION_ROLLBACK:
		case ERRCODE_OPERATOR_INTERVENTION:
			return true;
		case ERRCODE_INSUFFICIENT_RESOURCES:
			return sqlerrcode != ERRCODE_DISK_FULL;
		default:
			return sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE;
	}
}

/* Run one request; what is wrong with it is its answer. */
static void
answer(Request *request, Answer *answer)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	answer->page = NULL;
	answer->error = NULL;
	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		MemoryContextSwitchTo(context);
		if (request->write)
			answer_write(request);
		else
			answer->page = answer_read(request);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData  *edata;

		MemoryContextSwitchTo(context);
		edata = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (is_no_answer(edata->sqlerrcode))
			ReThrowError(edata);
		answer->error = edata->message;
	}
	PG_END_TRY();
}

static void
return_answer(ReturnSetInfo *result, int64 id, const Request *request,
			  const Answer *given)
{
	Datum		values[7];
	bool		nulls[7] = {false};

	values[0] = Int64GetDatum(id);
	values[1] = CStringGetTextDatum(request->write ? "write" : "read");
	values[2] = Int64GetDatum(request->page_id);
	values[3] = PointerGetDatum(given->page);
	nulls[3] = given->page == NULL;
	values[4] = BoolGetDatum(given->error == NULL);
	values[5] = given->error ? CStringGetTextDatum(given->error) : (Datum) 0;
	nulls[5] = given->error == NULL;
	values[6] = Int64GetDatum(rdb_unix_us() - request->asked_us);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * SQL: disk_process_async_ops(max_ops int) → setof (request_id bigint,
 * operation text, page_id bigint, page bytea, ok boolean, error text,
 * latency_us bigint): up to max_ops of the session's requests, highest priority
 * first, and none passed over for ever.  latency_us is from asking to the
 * answer.  Error: 22023 for a negative number.
 */
Datum
rdb_disk_process_async_ops(PG_FUNCTION_ARGS)
{
	int			max_ops = PG_GETARG_INT32(0);

	if (max_ops < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_ops must not be negative")));
	InitMaterializedSRF(fcinfo, 0);
	for (int done = 0; done < max_ops && nrequests > 0; done++)
	{
		int			next = rdb_next_request(waiting, nrequests);
		Answer		given;

		CHECK_FOR_INTERRUPTS();
		wait_for(requests[next]);
		answer(requests[next], &given);
		return_answer((ReturnSetInfo *) fcinfo->resultinfo, waiting[next].id,
					  requests[next], &given);
		remove_request(next);
	}
	if (max_ops > 0)
	{
		for (int i = 0; i < nrequests; i++)
			waiting[i].passed_over++;
	}
	return (Datum) 0;
}
