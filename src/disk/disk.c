/*
 * disk.c
 *	  Sets the disk room up.
 */
#include "postgres.h"

#include "disk/disk.h"

#include "disk/checksum.h"
#include "disk/live.h"

void
rdb_disk_hooks(void)
{
	rdb_live_hooks();
	rdb_checksum_hooks();
}
