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

#define MOST_HALVINGS 10
#define MANY_PAGES 1000

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
