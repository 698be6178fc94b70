// sources: src/columnar/settle_policy.c
// libs: -lpgcommon -lpgport
/*
 * What settles, which groups are made anew, how large they are made, and when they move.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "columnar/settle_policy.h"

static int	tests = 0;
static int	failed = 0;

static void
check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, what);
	failed += !good;
}

/* How often of 1,024 times, each with another number. */
static int
settles(const RdbSettleLimits *limits, RdbPageState page)
{
	int			n = 0;

	for (page.random = 0; page.random < 1024; page.random++)
		n += rdb_policy_settles(limits, &page);
	return n;
}

static void
test_settles(void)
{
	RdbSettleLimits limits = {.rested = 1000, .full = 500};

	check(settles(&limits, (RdbPageState) {.changed = 1000, .free = 8000}) == 1024, "what is cold settles");
	check(settles(&limits, (RdbPageState) {.changed = 1001, .free = 501}) == 0, "what is being filled does not");
	check(settles(&limits, (RdbPageState) {.changed = 1001, .free = 500}) == 1024, "what is full does");
	check(settles(&limits, (RdbPageState) {.changed = 0, .free = 8000}) == 0, "nor what nobody knows the age of");
	check(settles(&limits, (RdbPageState) {.changed = 1001, .free = 500, .thaws = 1}) == 0, "nor what was thawed, and is only full");
	check(settles(&limits, (RdbPageState) {.changed = 1, .thaws = 1}) == 1024, "but cold it does");
	check(settles(&limits, (RdbPageState) {.changed = 1, .thaws = 3}) == 256, "a quarter of those that were thawed three times");
	check(settles(&limits, (RdbPageState) {.changed = 1, .thaws = 200}) == 2, "and a few however often they were");
	check(settles(&limits, (RdbPageState) {.changed = 1001, .free = 8100, .empty = true}) == 0, "empty ones stay");
	limits.takes_empty = true;
	check(settles(&limits, (RdbPageState) {.changed = 1001, .free = 8100, .empty = true}) == 1024, "unless they are asked for");
	limits.rested = 0;
	check(settles(&limits, (RdbPageState) {.changed = 1001, .free = 8000, .thaws = 9}) == 1024, "all do where all is cold");
}

static void
test_group_rows(void)
{
	const RdbSettleLimits limits = {.least_rows = 4096};
	bool		good = true;
	bool		full = true;

	for (uint32 most = 4096; most <= 65536; most += 1777)
	{
		for (uint32 room = 0; room < 2000000; room += 3001)
		{
			uint32		rows = rdb_policy_group_rows(&limits, most, room);

			good &= rows <= most && rows <= room && (rows == 0 || (rows >= 4096 && rows >= most / 4));
			/* with groups of this size little is left over */
			full &= rows == 0 || room - room / rows * (uint64) rows <= room / 16 + most / 8;
		}
	}
	check(good, "a group is not larger than may be, nor than there is room for, nor too small");
	check(full, "groups of that size fill the room");
	check(rdb_policy_group_rows(&limits, 65536, 65536 * 4) > 50000 && rdb_policy_group_rows(&limits, 65536, 15000) == 0 &&
		  rdb_policy_group_rows(&limits, 65536, 30000) > 28000, "much room, too little, and some");
	check(rdb_policy_group_rows(&(RdbSettleLimits) {.least_rows = 1}, 200, 100000) == 0,
		  "groups of a few pages have as many rows as these have");
}

static void
test_others(void)
{
	check(!rdb_policy_regroups(&(RdbGroupState) {10, 10, 1000, 1000}) &&
		  !rdb_policy_regroups(&(RdbGroupState) {10, 6, 1000, 501}) &&
		  rdb_policy_regroups(&(RdbGroupState) {10, 5, 1000, 500}) &&
		  !rdb_policy_regroups(&(RdbGroupState) {10, 0, 1000, 0}), "half a group is made anew, nothing is not");
	check(!rdb_policy_moves(10, 0) && !rdb_policy_moves(16000, 999) && rdb_policy_moves(16000, 1000) &&
		  rdb_policy_moves(160, 10) && !rdb_policy_moves(160, 9), "groups move for a thousand pages, or a sixteenth");
	check(!rdb_policy_hurries(999) && rdb_policy_hurries(1000), "and the end settles for a thousand");
}

int
main(void)
{
	test_settles();
	test_group_rows();
	test_others();
	printf("1..%d\n", tests);
	return failed > 0;
}
