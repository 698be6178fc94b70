/*
 * checksum.c
 *	  Notices when PostgreSQL reads a page whose checksum is wrong.
 *
 * There is no hook on reading.  But PostgreSQL reports each such page with the
 * warning "page verification failed", from within the read, and then mostly
 * with the error "invalid page in block"; emit_log_hook sees both as they go
 * to the server log.
 *
 * The warning has the two checksums and not the page.  At that moment the
 * page is in a shared buffer whose read is in progress, so it is looked for
 * there, and known by the very checksums that the warning tells.  Where there
 * is no such buffer (temporary tables, ALTER TABLE SET TABLESPACE), the error
 * that follows names block and file.  If log_min_messages suppresses the
 * warning, the checksums are taken from the file, read once more.
 *
 * Nothing here may raise an error: an error is just being reported.
 */
#include "postgres.h"

#include "disk/checksum.h"

#include <fcntl.h>
#include <unistd.h>

#include "access/xlog.h"
#include "catalog/pg_tablespace_d.h"
#include "events/emit.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/checksum.h"
#include "utils/elog.h"

/* the untranslated formats' beginnings */
#define WARNING_ID "page verification failed, calculated checksum %u but expected %u"
#define ERROR_ID "invalid page in block %u of relation"
#define DIGITS "0123456789"

typedef struct PageName
{
	RdbRelFile	file;
	ForkNumber	fork;
	BlockNumber block;
} PageName;

typedef struct Checksums
{
	uint32		expected;		/* stored in the page */
	uint32		actual;			/* calculated from its contents */
} Checksums;

static emit_log_hook_type next_emit_log;

/* A warning was seen whose page is not known yet. */
static bool unplaced = false;
static Checksums unplaced_sums;

/* The page that was reported last, until its error comes by. */
static bool reported = false;
static PageName reported_page;

static void
emit_failure(const PageName *page, const Checksums *sums)
{
	RdbEvent	event;

	rdb_event_start(&event, RDB_CHECKSUM_FAILURE, RDB_ENGINE);
	rdb_event_page(&event, &page->file, page->fork);
	rdb_event_int(&event, page->block);
	rdb_event_int(&event, sums->expected);
	rdb_event_int(&event, sums->actual);
	rdb_event_emit(&event);
}

/* The two numbers of a (perhaps translated) warning, in their order. */
static bool
parse_warning(const char *message, Checksums *sums)
{
	const char *at = strpbrk(message, DIGITS);

	if (at == NULL)
		return false;
	sums->actual = strtoul(at, NULL, 10);
	at = strpbrk(at + strspn(at, DIGITS), DIGITS);
	if (at == NULL)
		return false;
	sums->expected = strtoul(at, NULL, 10);
	return true;
}

/*
 * The checksums of a page that somebody may be writing to: from a copy.  False
 * when the page is new and has none.
 */
static bool
sums_of_page(const char *page, BlockNumber block, Checksums *sums)
{
	PGAlignedBlock copy;

	memcpy(copy.data, page, BLCKSZ);
	if (PageIsNew(copy.data))
		return false;
	sums->expected = ((PageHeader) copy.data)->pd_checksum;
	sums->actual = pg_checksum_page(copy.data, block);
	return true;
}

/*
 * Look for a buffer that is being read and has just these checksums, beginning
 * where the last one was: a damaged file is read buffer after buffer.
 */
static bool
find_buffer(const Checksums *sums, PageName *page)
{
	static int	found_last = 0;

	for (int n = 0; n < NBuffers; n++)
	{
		int			i = (found_last + n) % NBuffers;
		BufferDesc *desc = GetBufferDescriptor(i);
		uint32		state = rdb_compat_buffer_state(desc);
		Checksums	found;

		if ((state & (BM_IO_IN_PROGRESS | BM_TAG_VALID | BM_VALID)) !=
			(BM_IO_IN_PROGRESS | BM_TAG_VALID))
			continue;
		rdb_compat_buffer_tag(desc, &page->file, &page->fork, &page->block);
		if (sums_of_page(BufferBlocks + (Size) i * BLCKSZ, page->block, &found) &&
			found.expected == sums->expected && found.actual == sums->actual)
		{
			found_last = i;
			return true;
		}
	}
	return false;
}

/* "16384", "16384_fsm" or, of a temporary table, "t3_16384". */
static bool
parse_file_name(const char *name, PageName *page)
{
	int			end = 0;

	if (sscanf(name, "t%*d_%u%n", &page->file.number, &end) != 1 &&
		sscanf(name, "%u%n", &page->file.number, &end) != 1)
		return false;
	page->fork = MAIN_FORKNUM;
	for (int f = MAIN_FORKNUM + 1; f <= MAX_FORKNUM; f++)
	{
		if (name[end] == '_' &&
			strncmp(name + end + 1, forkNames[f], strlen(forkNames[f])) == 0)
			page->fork = f;
	}
	return true;
}

/* A relation's path, wherever it stands in the message. */
static bool
parse_path(const char *message, PageName *page, const char **path)
{
	int			end = 0;

	if ((*path = strstr(message, "pg_tblspc/")) != NULL)
	{
		if (sscanf(*path, "pg_tblspc/%u/%*[^/]/%u/%n",
				   &page->file.tablespace, &page->file.database, &end) != 2)
			return false;
	}
	else if ((*path = strstr(message, "base/")) != NULL)
	{
		page->file.tablespace = DEFAULTTABLESPACE_OID;
		if (sscanf(*path, "base/%u/%n", &page->file.database, &end) != 1)
			return false;
	}
	else if ((*path = strstr(message, "global/")) != NULL)
	{
		page->file.tablespace = GLOBALTABLESPACE_OID;
		page->file.database = InvalidOid;
		end = strlen("global/");
	}
	return *path != NULL && end > 0 && parse_file_name(*path + end, page);
}

/* Block and relation of a (perhaps translated) error. */
static bool
parse_error(const char *message, PageName *page)
{
	const char *path;
	const char *number = strpbrk(message, DIGITS);

	if (!parse_path(message, page, &path))
		return false;
	if (number > path)			/* a translation that names the file first */
		number = strpbrk(path + strcspn(path, " \"\t"), DIGITS);
	if (number == NULL)
		return false;
	page->block = strtoul(number, NULL, 10);
	return true;
}

/* Read the page's checksums from its file; false when it cannot be read. */
static bool
read_sums(const PageName *page, const char *message, Checksums *sums)
{
	PGAlignedBlock data;
	char		path[MAXPGPATH];
	const char *start;
	PageName	ignored;
	BlockNumber segment = page->block / RELSEG_SIZE;
	int			len;
	int			fd;
	bool		done;

	if (!parse_path(message, &ignored, &start))
		return false;
	len = strspn(start, "abcdefghijklmnopqrstuvwxyzPG_/" DIGITS);
	if (segment > 0)
		snprintf(path, sizeof(path), "%.*s.%u", len, start, segment);
	else
		snprintf(path, sizeof(path), "%.*s", len, start);
	fd = open(path, O_RDONLY | PG_BINARY, 0);
	if (fd < 0)
		return false;
	done = pread(fd, data.data, BLCKSZ,
				 (off_t) (page->block % RELSEG_SIZE) * BLCKSZ) == BLCKSZ;
	close(fd);
	return done && sums_of_page(data.data, page->block, sums) &&
		sums->expected != sums->actual;
}

static void
saw_warning(const char *message)
{
	Checksums	sums;
	PageName	page;

	if (!parse_warning(message, &sums))
		return;
	if (find_buffer(&sums, &page))
	{
		emit_failure(&page, &sums);
		reported = true;
		reported_page = page;
		return;
	}
	unplaced = true;
	unplaced_sums = sums;
}

static bool
same_page(const PageName *a, const PageName *b)
{
	return memcmp(&a->file, &b->file, sizeof(a->file)) == 0 &&
		a->fork == b->fork && a->block == b->block;
}

static void
saw_error(const char *message)
{
	PageName	page;
	Checksums	sums;

	if (!DataChecksumsEnabled() || !parse_error(message, &page))
		return;
	if (reported && same_page(&page, &reported_page))
		reported = false;
	else if (unplaced)
		emit_failure(&page, &unplaced_sums);
	else if (!RDB_FAILED_READ_IS_ALWAYS_LOGGED && read_sums(&page, message, &sums))
		emit_failure(&page, &sums);
	unplaced = false;
}

static void
checksum_emit_log(ErrorData *edata)
{
	if (edata->sqlerrcode == ERRCODE_DATA_CORRUPTED &&
		edata->message_id != NULL && edata->message != NULL)
	{
		if (strncmp(edata->message_id, WARNING_ID, strlen(WARNING_ID)) == 0)
			saw_warning(edata->message);
		else if (strncmp(edata->message_id, ERROR_ID, strlen(ERROR_ID)) == 0)
			saw_error(edata->message);
	}
	if (next_emit_log)
		next_emit_log(edata);
}

void
rdb_checksum_hooks(void)
{
	next_emit_log = emit_log_hook;
	emit_log_hook = checksum_emit_log;
}
