/*
 * segments.c
 *	  Opens segments as transient files: whatever happens, they are closed when
 *	  the transaction ends.
 *
 * The caller sees to it that the relation is not dropped or truncated: by a
 * lock on it, or by a pin on one of its buffers.
 */
#include "postgres.h"

#include "disk/segments.h"

#include <fcntl.h>

#include "storage/fd.h"

void
rdb_segments_init(RdbSegments *segments, const RdbRelFile *file,
				  ForkNumber fork, bool write)
{
	segments->file = *file;
	segments->fork = fork;
	segments->flags = (write ? O_RDWR : O_RDONLY) | PG_BINARY;
	segments->nopen = 0;
}

static int
open_segment(const RdbSegments *segments, uint32 number)
{
	char		path[MAXPGPATH];
	int			fd;

	rdb_compat_relpath(&segments->file, segments->fork, path);
	if (number > 0)
		snprintf(path + strlen(path), sizeof(path) - strlen(path), ".%u", number);
	fd = OpenTransientFile(path, segments->flags);
	if (fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", path)));
	return fd;
}

/*
 * The descriptor of the block's segment; -1 when as many segments are open as
 * may be: then the caller does what it has, closes them and comes again.
 */
int
rdb_segments_fd(RdbSegments *segments, BlockNumber block)
{
	uint32		number = block / RELSEG_SIZE;

	for (int i = 0; i < segments->nopen; i++)
	{
		if (segments->open[i].number == number)
			return segments->open[i].fd;
	}
	if (segments->nopen == RDB_OPEN_SEGMENTS)
		return -1;
	segments->open[segments->nopen].fd = open_segment(segments, number);
	segments->open[segments->nopen].number = number;
	return segments->open[segments->nopen++].fd;
}

void
rdb_segments_close(RdbSegments *segments)
{
	while (segments->nopen > 0)
		CloseTransientFile(segments->open[--segments->nopen].fd);
}
