/*
 * pages_columns.c
 *	  Keeps ALTER TABLE from adding, dropping and renaming a page store's
 *	  columns: nothing could be stored in another one, and a dump without one of
 *	  the three could not be restored.
 *
 * Seen by object_access_hook, which also tells of what reaches the store by
 * inheritance.
 */
#include "postgres.h"

#include "store/pages_columns.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "store/store_open.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

static object_access_hook_type next_object_access;

/* Whether the command, which has not ended, has given the column another name. */
static bool
was_renamed(Oid relid, AttrNumber number)
{
	char	   *before = get_attname(relid, number, true);
	Relation	attributes = table_open(AttributeRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		renamed = false;

	ScanKeyInit(&keys[0], Anum_pg_attribute_attrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], Anum_pg_attribute_attnum, BTEqualStrategyNumber,
				F_INT2EQ, Int16GetDatum(number));
	scan = systable_beginscan(attributes, AttributeRelidNumIndexId, true,
							  SnapshotSelf, 2, keys);
	tuple = systable_getnext(scan);
	if (before != NULL && HeapTupleIsValid(tuple))
		renamed = strcmp(before, NameStr(((Form_pg_attribute) GETSTRUCT(tuple))->attname)) != 0;
	systable_endscan(scan);
	table_close(attributes, AccessShareLock);
	return renamed;
}

static void
refuse(Oid relid, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot %s page store \"%s\"", what, get_rel_name(relid)),
			 errdetail("A page store has the columns page_id, slot_id and record.")));
}

static void
columns_object_access(ObjectAccessType access, Oid class_id, Oid object_id,
					  int sub_id, void *arg)
{
	if (next_object_access)
		next_object_access(access, class_id, object_id, sub_id, arg);
	if (class_id != RelationRelationId || sub_id <= 0 || !rdb_names_page_store(object_id))
		return;
	if (access == OAT_POST_CREATE)
		refuse(object_id, "add a column to");
	else if (access == OAT_DROP)
		refuse(object_id, "drop a column of");
	else if (access == OAT_POST_ALTER && was_renamed(object_id, (AttrNumber) sub_id))
		refuse(object_id, "rename a column of");
}

void
rdb_pages_columns_hooks(void)
{
	next_object_access = object_access_hook;
	object_access_hook = columns_object_access;
}
