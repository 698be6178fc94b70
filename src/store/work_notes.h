/*
 * work_notes.h
 *	  Tables that have got blocks which may settle one day.
 */
#ifndef RDB_WORK_NOTES_H
#define RDB_WORK_NOTES_H

#include "compat/compat.h"

extern Size rdb_work_shmem_size(void);
extern void rdb_work_shmem_init(void *memory, bool found);

extern void rdb_work_note(Relation rel);
extern int	rdb_work_databases(Oid *databases, int most);
extern int	rdb_work_tables(Oid database, Oid *tables, int most);
extern void rdb_work_done(Oid database, Oid table);
extern void rdb_work_forget(Oid database);

#endif							/* RDB_WORK_NOTES_H */
