/*
 * settle_policy.c
 *	  What is worth settling.  Pure.
 *
 * A block that is being filled is left alone: it would be settled with a few rows, and
 * the next ones would need another block.  One that was thawed again and again backs
 * off: each time it is half as likely to be settled when it could be.
 */
#include "postgres.h"

#include "columnar/settle_policy.h"

#include "access/htup_details.h"

#define MOST_HALVINGS 10
#define MANY_PAGES 1000
#define LEAST_PART 4			/* of a full group */
#define LEAST_PAGES 4			/* as far as rows go */

static bool
backs_off(const RdbSettleLimits *limits, const RdbPageState *page)
{
	int			halvings = Min(page->thaws, MOST_HALVINGS) - 1;

	if (limits->rested == InvalidXLogRecPtr || halvings <= 0)
		return false;
	return (page->random & ((UINT64CONST(1) << halvings) - 1)) != 0;
}

/* Whether a row page whose rows are all visible to all is to be settled now. */
bool
rdb_policy_settles(const RdbSettleLimits *limits, const RdbPageState *page)
{
	bool		is_cold = limits->rested == InvalidXLogRecPtr ||
		(page->changed != InvalidXLogRecPtr && page->changed <= limits->rested);

	if (page->empty && limits->takes_empty)
		return true;
	return (is_cold || (page->free <= limits->full && page->thaws == 0)) && !backs_off(limits, page);
}

/*
 * How many rows a group is to have where there is room for so many: as many as all groups have
 * that will fill it, most_rows of them at most.  0 if that is too few for a group.
 */
uint32
rdb_policy_group_rows(const RdbSettleLimits *limits, uint32 most_rows, double room)
{
	/* rows differ */
	uint32		rows = (uint32) Min(room * 31 / 32, PG_INT32_MAX);
	uint32		groups = (rows + most_rows - 1) / most_rows;
	uint32		of_each = groups > 0 ? rows / groups : 0;

	/* a page is only added where all rows that one may have would have room */
	if (of_each < Max(Max(most_rows / LEAST_PART, limits->least_rows), LEAST_PAGES * MaxHeapTuplesPerPage))
		return 0;
	return of_each;
}

/* Whether what is left of a group is to be put into another one: less than half of it is
 * current. */
bool
rdb_policy_regroups(const RdbGroupState *group)
{
	return group->current_blocks > 0 && group->current_rows < group->rows &&
		group->current_rows <= group->rows / 2;
}

/* Whether so many pages would be given back that the end of the table settles, cold or not. */
bool
rdb_policy_hurries(BlockNumber free_pages)
{
	return free_pages >= MANY_PAGES;
}

/* Whether it is worth moving groups so that the end of the file can be cut off: as
 * vacuumlazy.c has it, a thousand pages or a sixteenth. */
bool
rdb_policy_moves(BlockNumber pages, BlockNumber free_pages)
{
	return free_pages > 0 && (free_pages >= MANY_PAGES || free_pages >= pages / 16);
}
