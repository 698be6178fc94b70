/*
 * bulk_rows.c
 *	  How many rows bulk inserts that are going on have inserted: COPY into a partitioned
 *	  table has several.
 *
 * Their end is heard of, their failure is not; but then the rows are another
 * transaction's, and do not count.
 */
#include "postgres.h"

#include "columnar/bulk_rows.h"

#include "access/xact.h"
#include "columnar/columnar_events.h"
#include "utils/hsearch.h"
#include "utils/rel.h"

typedef struct BulkRows
{
	Oid			table;			/* the key */
	TransactionId xid;			/* that inserts, a subtransaction's if it is one */
	int64		rows;
} BulkRows;

static HTAB *bulks = NULL;		/* as many as tables, at most */

/* Rows were inserted. */
void
rdb_bulk_add(Relation rel, int64 rows)
{
	TransactionId xid = GetCurrentTransactionId();
	BulkRows   *bulk;
	bool		found;

	if (bulks == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(Oid),.entrysize = sizeof(BulkRows)};

		bulks = hash_create("bulk inserts", 16, &control, HASH_ELEM | HASH_BLOBS);
	}
	bulk = hash_search(bulks, &RelationGetRelid(rel), HASH_ENTER, &found);
	if (!found || bulk->xid != xid)
		bulk->rows = 0;
	bulk->xid = xid;
	bulk->rows += rows;
}

/* The bulk insert is over: tell it, if there was any row. */
void
rdb_bulk_finish(Relation rel)
{
	TransactionId xid = GetCurrentTransactionIdIfAny();
	BulkRows   *bulk = bulks == NULL ? NULL :
		hash_search(bulks, &RelationGetRelid(rel), HASH_FIND, NULL);

	if (bulk == NULL)
		return;
	if (bulk->xid == xid)
		rdb_tell_batch(rel, bulk->rows, RelationGetNumberOfAttributes(rel));
	(void) hash_search(bulks, &RelationGetRelid(rel), HASH_REMOVE, NULL);
}
