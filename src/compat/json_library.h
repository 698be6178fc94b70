/*
 * json_library.h
 *	  jansson, in a process that is PostgreSQL.  Include this and never
 *	  <jansson.h>.
 *
 * The server has an SQL function json_object() and exports its symbol, so a
 * call to jansson's would end there.  It is the only name that both have
 * (compare "nm -D" of postgres and libjansson), and jansson's own calls are
 * bound inside its library: it is enough never to call it by that name.
 */
#ifndef RDB_JSON_LIBRARY_H
#define RDB_JSON_LIBRARY_H

#include "utils/builtins.h"		/* before jansson's macro json_typeof() */

#define json_object rdb_never_call_json_object
#include <jansson.h>
#undef json_object

/* A new, empty object; NULL when there is no memory. */
static inline json_t *
rdb_json_object(void)
{
	return json_pack("{}");
}

#endif							/* RDB_JSON_LIBRARY_H */
