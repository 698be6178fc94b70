/*
 * module.h
 *	  What a room brings to the library, and the two things every room needs
 *	  from it: shared memory, and an error where there is none.
 */
#ifndef RDB_MODULE_H
#define RDB_MODULE_H

/*
 * One row a room.  Every member may be NULL.  The array of them, in
 * rustydb_storage.c, is the architecture: rows stand in layer order, and a
 * room may use only what rows above it have set up.
 */
typedef struct RdbModule
{
	const char *name;
	void		(*settings) (void); /* define the room's GUCs */
	Size		(*shmem_size) (void);	/* bytes; MaxBackends is known */
	void		(*shmem_init) (void *memory, bool found);
	void		(*hooks) (void);	/* chain into PostgreSQL's hooks */
	void		(*workers) (void);	/* register static workers */
	Size		(*shmem_more) (void);	/* bytes that shmem_init takes by itself, for hash tables */
} RdbModule;

extern void rdb_modules_load(const RdbModule *modules, int nmodules);
extern bool rdb_is_preloaded(void);
extern void rdb_require_preload(void);

#endif							/* RDB_MODULE_H */
