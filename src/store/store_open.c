/*
 * store_open.c
 *	  Opening a page store for somebody: is it one, and may they.
 */
#include "postgres.h"

#include "store/store_open.h"

#include "access/relation.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "core/module.h"
#include "miscadmin.h"
#include "store/pages_am.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"

static const AclMode privileges[] = {
	[RDB_STORE_READ] = ACL_SELECT,
	[RDB_STORE_WRITE] = ACL_UPDATE,
	[RDB_STORE_ALLOCATE] = ACL_INSERT,
	[RDB_STORE_FREE] = ACL_DELETE,
	[RDB_STORE_SPLIT] = ACL_UPDATE | ACL_INSERT,
	[RDB_STORE_MERGE] = ACL_UPDATE | ACL_DELETE,
};

bool
rdb_is_page_store(Relation rel)
{
	return rel->rd_tableam == rdb_pages_routine();
}

/* By the catalog, without opening it. */
bool
rdb_names_page_store(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			am = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		am = ((Form_pg_class) GETSTRUCT(tuple))->relam;
		ReleaseSysCache(tuple);
	}
	return OidIsValid(am) && am == get_table_am_oid("rustydb_pages", true);
}

/* Before the relation is locked: who may not, must not make others wait. */
static void
check_privileges(Oid relid, AclMode mode)
{
	if (pg_class_aclmask(relid, GetUserId(), mode, ACLMASK_ALL) != mode)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(relid)),
					   get_rel_name(relid));
}

static void
no_such_relation(Oid relid)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("relation with OID %u does not exist", relid)));
}

/*
 * Open a relation of any kind.  It may have been dropped while its lock was
 * waited for, which is no internal error: 42P01.
 */
Relation
rdb_relation_open(Oid relid, LOCKMODE mode)
{
	Relation	rel = try_relation_open(relid, mode);

	if (rel == NULL)
		no_such_relation(relid);
	return rel;
}

static void
require_owner(Oid relid)
{
	if (!rdb_compat_is_owner(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(relid)),
					   get_rel_name(relid));
}

/*
 * Open a relation of any kind for its owner.  Others do not get to wait for the
 * lock, and who has waited may be the owner no more.  Errors: 42P01, 42501, and
 * 0A000 for another session's temporary table.
 */
Relation
rdb_owned_relation_open(Oid relid, LOCKMODE mode)
{
	Relation	rel;

	if (get_rel_name(relid) == NULL)
		no_such_relation(relid);
	require_owner(relid);
	rel = rdb_relation_open(relid, mode);
	require_owner(relid);
	if (RELATION_IS_OTHER_TEMP(rel))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access temporary tables of other sessions")));
	return rel;
}

static void
check_kind(Relation rel)
{
	if (!rdb_is_page_store(rel))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a page store", RelationGetRelationName(rel)),
				 errhint("Page stores are made by rustydb.page_store_create().")));
	if (RELATION_IS_OTHER_TEMP(rel))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access temporary tables of other sessions")));
	if (check_enable_rls(RelationGetRelid(rel), InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("row-level security applies to page store \"%s\"",
						RelationGetRelationName(rel)),
				 errdetail("A page's records cannot be told apart by the functions on pages.")));
}

static void
check_may_write(Relation rel, const char *function)
{
	char	   *command = psprintf("rustydb.%s()", function);

	rdb_require_preload();
	if (!rel->rd_islocaltemp)
		PreventCommandIfReadOnly(command);
	PreventCommandIfParallelMode(command);
	pfree(command);
}

/*
 * Open a page store for a use, by function (its name, for errors), locked until
 * the transaction ends, so that it is neither dropped nor truncated meanwhile.
 * Errors: 42P01 no such relation, 42501 a privilege is missing or row-level
 * security applies, 42809 not a page store, 25006 read-only transaction, 55000
 * library not preloaded.
 */
Relation
rdb_store_open(Oid relid, RdbStoreUse use, const char *function)
{
	Relation	rel;

	if (!OidIsValid(relid) || get_rel_name(relid) == NULL)
		no_such_relation(relid);
	check_privileges(relid, privileges[use]);
	rel = rdb_relation_open(relid, use == RDB_STORE_READ ? AccessShareLock : RowExclusiveLock);
	check_kind(rel);
	if (use != RDB_STORE_READ)
		check_may_write(rel, function);
	return rel;
}

/*
 * A page id as a block number, given the metapage.  Error 22023 where no page
 * has ever had that id.
 */
BlockNumber
rdb_store_page_id_within(Relation rel, int64 page_id, const RdbMeta *meta)
{
	if (page_id < 1 || page_id > (int64) meta->npages)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("page %lld of page store \"%s\" does not exist",
						(long long) page_id, RelationGetRelationName(rel)),
				 meta->npages == 0 ? errdetail("The store has no pages.") :
				 errdetail("The store's page ids are 1 to %u.", meta->npages)));
	return (BlockNumber) page_id;
}

BlockNumber
rdb_store_page_id(Relation rel, int64 page_id)
{
	RdbMeta		meta;

	rdb_meta_read(rel, RDB_RELATION_PAGES, &meta);
	return rdb_store_page_id_within(rel, page_id, &meta);
}
