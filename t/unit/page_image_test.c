// sources: src/page/page_check.c src/page/page_crc.c src/page/page_image.c src/page/page_record.c src/page/page_split.c
// libs: -lpgcommon -lpgport
/*
 * Page images against a simple model, an array of records: random operations
 * on pages of every size, each followed by a look at everything.
 */
#include "postgres.h"

#include <limits.h>

#include "page/page_crc.h"
#include "page/page_image.h"

#define OPERATIONS 20000		/* for each of the six sizes */
#define MAX_SLOTS (RDB_PAGE_MAX_SIZE / sizeof(ItemIdData))

/* What a page ought to hold; a record is told by its length and its seed. */
typedef struct Model
{
	int			slots;
	int			len[MAX_SLOTS + 1]; /* -1 for an empty slot */
	uint32		seed[MAX_SLOTS + 1];
	int			holes;			/* bytes that compaction would give back */
	bool		dirty;
	uint64		id;
} Model;

typedef struct Pair
{
	Size		size;
	char	   *page;
	Model		model;
} Pair;

static int	tests = 0;

static void
check(bool good, const char *name)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, name);
}

static bool
differ(const char *what, long got, long expected)
{
	if (got != expected)
		printf("# %s: %ld, should be %ld\n", what, got, expected);
	return got != expected;
}

/* ---- random ---- */

static uint64 state = 88172645463325252;

static uint32
any(uint32 below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32) (state >> 32) % below;
}

/* Mostly short, sometimes anything, often right at the limit. */
static int
any_length(Size size, int limit)
{
	int			near_limit = limit - 1 + (int) any(3);

	switch (any(8))
	{
		case 0:
			return any(size);
		case 1:
			return Max(0, near_limit);
		case 2:
			return any(size / 4);
		default:
			return any(60);
	}
}

/* In malloc'ed memory of just that length, so that reading beyond it shows. */
static char *
bytes_of(uint32 seed, int len)
{
	char	   *bytes = malloc(len);

	for (int i = 0; i < len; i++)
		bytes[i] = (char) ((seed + i) * 2654435761u >> 24);
	return bytes;
}

/* ---- the model ---- */

static int
space_of(int len)
{
	return (24 + len + 7) / 8 * 8;
}

static int
model_records(const Model *model, int *bytes)
{
	int			records = 0;

	*bytes = 0;
	for (int s = 1; s <= model->slots; s++)
	{
		records += model->len[s] >= 0;
		*bytes += model->len[s] >= 0 ? space_of(model->len[s]) : 0;
	}
	return records;
}

static int
model_last(const Model *model)
{
	int			s = model->slots;

	while (s > 0 && model->len[s] < 0)
		s--;
	return s;
}

static int
model_empty_slot(const Model *model)
{
	for (int s = 1; s <= model->slots; s++)
	{
		if (model->len[s] < 0)
			return s;
	}
	return model->slots + 1;
}

/* Bytes between line pointers and records when there are so many slots. */
static int
model_room(const Pair *pair, int slots)
{
	int			bytes;

	model_records(&pair->model, &bytes);
	return (int) pair->size - 48 - 4 * slots - bytes - pair->model.holes;
}

/* The longest record for a slot, or something negative. */
static int
model_longest(const Pair *pair, int slot)
{
	int			room = model_room(pair, Max(slot, pair->model.slots));

	return room < 0 ? -1 : room / 8 * 8 - 24;
}

static void
model_set(Model *model, int slot, int len, uint32 seed)
{
	while (model->slots < slot)
		model->len[++model->slots] = -1;
	model->len[slot] = len;
	model->seed[slot] = seed;
}

/* ---- everything about a page against its model ---- */

static bool
same_records(const Pair *pair)
{
	const Model *model = &pair->model;

	for (int s = 1; s <= model->slots + 2; s++)
	{
		int			expected_len = s > model->slots ? -1 : model->len[s];
		int			len = -1;
		const char *record = rdb_page_record(pair->page, s, &len);
		char	   *bytes;
		bool		same;

		if (differ("length", record == NULL ? -1 : len, expected_len))
			return false;
		if (record == NULL)
			continue;
		bytes = bytes_of(model->seed[s], len);
		same = memcmp(bytes, record, len) == 0;
		free(bytes);
		if (!same)
			return false;
	}
	return true;
}

static bool
same(const Pair *pair)
{
	const Model *model = &pair->model;
	const char *fault = rdb_page_fault(pair->page, pair->size);
	bool		crc = rdb_page_crc(pair->page, pair->size) == rdb_page_stored_crc(pair->page);
	int			bytes;
	int			records = model_records(model, &bytes);
	double		fill = (bytes + 4.0 * model->slots) / (pair->size - 48);

	if (fault != NULL)
		printf("# the image has %s\n", fault);
	return fault == NULL &&
		!differ("CRC", crc || model->dirty, true) &&
		!differ("dirty", rdb_page_is_dirty(pair->page), model->dirty) &&
		!differ("id", rdb_page_id(pair->page), model->id) &&
		!differ("slots", rdb_page_slots(pair->page), model->slots) &&
		!differ("records", rdb_page_records(pair->page), records) &&
		!differ("reclaimable", rdb_page_reclaimable(pair->page), model->holes) &&
		!differ("free space", rdb_page_free_space(pair->page),
				Max(0, model_longest(pair, model_empty_slot(model)))) &&
		!differ("fill", rdb_page_fill(pair->page) * 1e9, fill * 1e9) &&
		same_records(pair);
}

/* ---- operations: on both, and the same answer ---- */

static bool
op_insert(Pair *pair)
{
	int			slot = model_empty_slot(&pair->model);
	int			longest = model_longest(pair, slot);
	int			len = any_length(pair->size, longest);
	uint32		seed = any(1000000);
	char	   *bytes = bytes_of(seed, len);
	int			got = rdb_page_insert(pair->page, bytes, len);

	free(bytes);
	if (len <= longest)
		model_set(&pair->model, slot, len, seed);
	return !differ("inserted", got, len <= longest ? slot : 0);
}

static bool
op_insert_at(Pair *pair)
{
	Model	   *model = &pair->model;
	int			slot = any(model->slots + 4);
	bool		empty = slot >= 1 && (slot > model->slots || model->len[slot] < 0);
	int			longest = model_longest(pair, slot);
	int			len = any_length(pair->size, longest);
	uint32		seed = any(1000000);
	char	   *bytes = bytes_of(seed, len);
	bool		got = rdb_page_insert_at(pair->page, slot, bytes, len);

	free(bytes);
	if (empty && len <= longest)
		model_set(model, slot, len, seed);
	return !differ("inserted at", got, empty && len <= longest);
}

static bool
op_delete(Pair *pair)
{
	Model	   *model = &pair->model;
	int			slot = any(model->slots + 2);
	bool		there = slot >= 1 && slot <= model->slots && model->len[slot] >= 0;
	bool		got = rdb_page_delete(pair->page, slot);

	if (there)
	{
		model->holes += space_of(model->len[slot]);
		model->len[slot] = -1;
	}
	return !differ("deleted", got, there);
}

static bool
op_update(Pair *pair)
{
	Model	   *model = &pair->model;
	int			slot = any(model->slots + 2);
	bool		there = slot >= 1 && slot <= model->slots && model->len[slot] >= 0;
	int			old = there ? space_of(model->len[slot]) : 0;
	int			room = model_room(pair, model->slots);
	int			longest = (room + model->holes) / 8 * 8 + old - 24;
	int			len = any_length(pair->size, longest);
	uint32		seed = any(1000000);
	char	   *bytes = bytes_of(seed, len);
	RdbPageUpdate got = rdb_page_update(pair->page, slot, bytes, len);

	free(bytes);
	if (!there)
		return !differ("update of nothing", got, RDB_RECORD_MISSING);
	if (len > longest)
		return !differ("update that is too long", got, RDB_RECORD_TOO_LONG);
	if (space_of(len) <= old)
		model->holes += old - space_of(len);
	else if (space_of(len) <= room)
		model->holes += old;
	else
		model->holes = 0;
	model_set(model, slot, len, seed);
	return !differ("update", got, RDB_RECORD_UPDATED);
}

static bool
op_compact(Pair *pair)
{
	int			holes = pair->model.holes;

	pair->model.holes = 0;
	return !differ("reclaimed", rdb_page_compact(pair->page), holes);
}

/* A dirty page stays so for a while, or it would be one all the time. */
static bool
op_dirty(Pair *pair)
{
	if (pair->model.dirty)
		rdb_page_seal(pair->page);
	else
		rdb_page_set_dirty(pair->page);
	pair->model.dirty = !pair->model.dirty;
	return true;
}

static bool
op_reset(Pair *pair)
{
	if (any(20) != 0)
		return true;
	rdb_page_init(pair->page, pair->size, pair->model.id);
	pair->model.slots = pair->model.holes = 0;
	pair->model.dirty = false;
	return true;
}

/* The sum of what the slots from first to last take. */
static int
model_bytes(const Model *model, int first, int last)
{
	int			bytes = 0;

	for (int s = first; s <= last; s++)
		bytes += model->len[s] >= 0 ? space_of(model->len[s]) + 4 : 0;
	return bytes;
}

/* No other cut is better, each side has a record, and all are in order. */
static bool
op_split(Pair *pair)
{
	static Pair other;
	Model		old = pair->model;
	int			bytes;
	int			records = model_records(&old, &bytes);
	int			best = INT_MAX,
				stays = 0;
	bool		good;

	other.size = pair->size;
	other.page = malloc(pair->size);
	memset(other.page, 0x55, pair->size);
	good = !differ("split", rdb_page_split(pair->page, other.page, old.id + 1), records >= 2);
	if (good && records >= 2)
	{
		for (int s = 1; s < model_last(&old); s++)
		{
			int			difference = abs(model_bytes(&old, 1, s) -
										 model_bytes(&old, s + 1, old.slots));

			if (old.len[s] >= 0 && difference < best)
			{
				best = difference;
				stays = s;
			}
		}
		memset(&other.model, 0, sizeof(other.model));
		other.model.id = old.id + 1;
		for (int s = stays + 1; s <= old.slots; s++)
		{
			if (old.len[s] >= 0)
				model_set(&other.model, other.model.slots + 1, old.len[s], old.seed[s]);
			pair->model.len[s] = -1;
		}
		pair->model.holes = 0;
		good = same(&other);
	}
	free(other.page);
	return good;
}

static bool
op_merge(Pair *pair)
{
	static Pair other;
	Model	   *model = &pair->model;
	int			last = model_last(model);
	int			bytes,
				other_bytes,
				slots,
				needed;
	bool		fits,
				good;

	other.size = pair->size;
	other.page = malloc(pair->size);
	memset(&other.model, 0, sizeof(other.model));
	other.model.id = model->id + 7;
	rdb_page_init(other.page, other.size, other.model.id);
	for (int n = any(pair->size / 200); n > 0; n--)
		(void) (any(4) ? op_insert(&other) : op_delete(&other));
	slots = Max(model->slots, last + model_records(&other.model, &other_bytes));
	model_records(model, &bytes);
	needed = bytes + other_bytes + 4 * slots;
	fits = needed <= (int) pair->size - 48;
	good = same(&other) &&
		!differ("together", rdb_page_fill_together(pair->page, other.page) * 1e9,
				(double) needed / (pair->size - 48) * 1e9) &&
		!differ("merge", rdb_page_merge(pair->page, other.page), fits) && same(&other);
	free(other.page);
	if (!fits)
		return good;
	if (needed + model->holes > (int) pair->size - 48)
		model->holes = 0;
	for (int s = 1; s <= other.model.slots; s++)
	{
		if (other.model.len[s] >= 0)
			model_set(model, ++last, other.model.len[s], other.model.seed[s]);
	}
	return good;
}

static bool (*const operations[]) (Pair *) = {
	op_insert, op_insert, op_insert, op_insert_at, op_delete, op_delete,
	op_update, op_update, op_update, op_compact, op_dirty, op_reset, op_split, op_merge
};

static bool
behaves(Size size, uint64 id)
{
	static Pair pair;

	pair.size = size;
	pair.page = malloc(size);
	memset(&pair.model, 0, sizeof(pair.model));
	pair.model.id = id;
	rdb_page_init(pair.page, size, id);
	for (int n = 0; n < OPERATIONS; n++)
	{
		int			op = any(lengthof(operations));

		if (!operations[op] (&pair) || !same(&pair))
		{
			printf("# size %zu, step %d, operation %d\n", size, n, op);
			return false;
		}
	}
	free(pair.page);
	return true;
}

/* ---- what a random walk does not meet ---- */

static uint64
aligned_page[RDB_PAGE_MAX_SIZE / sizeof(uint64)];

static bool
refuses_long_records(void)
{
	char	   *page = (char *) aligned_page;

	rdb_page_init(page, 1024, 1);
	return rdb_page_insert(page, "", INT_MAX) == 0 &&
		rdb_page_insert(page, "", -1) == 0 &&
		rdb_page_insert(page, "", 0) == 1 &&
		!rdb_page_insert_at(page, INT_MAX, "", 0) &&
		!rdb_page_insert_at(page, INT_MIN, "", 0) &&
		rdb_page_update(page, 1, "", INT_MAX) == RDB_RECORD_TOO_LONG &&
		rdb_page_update(page, 1, "", -1) == RDB_RECORD_TOO_LONG &&
		rdb_page_fault(page, 1024) == NULL;
}

/* A flipped bit anywhere is a fault or a wrong CRC, except where it may be. */
static bool
notices_flips(void)
{
	char	   *page = (char *) aligned_page;

	rdb_page_init(page, 1024, 77);
	for (int i = 1; i < 12; i++)
		(void) rdb_page_insert(page, "some bytes, some record", i * 2);
	(void) rdb_page_delete(page, 4);
	for (int bit = 0; bit < 1024 * 8; bit++)
	{
		bool		free_to_change = bit < 10 * 8;
		bool		noticed;

		page[bit / 8] ^= 1 << bit % 8;
		noticed = rdb_page_fault(page, 1024) != NULL ||
			rdb_page_crc(page, 1024) != rdb_page_stored_crc(page);
		page[bit / 8] ^= 1 << bit % 8;
		if (noticed == free_to_change)
			return false;
	}
	return true;
}

/* What is wrong with a page of two records after some damage. */
typedef void (*Damage) (char *page, ItemId item);

static void
point_beyond(char *page, ItemId item)
{
	((PageHeader) page)->pd_linp[0].lp_len += 8;
	(void) item;
}

static void
point_below(char *page, ItemId item)
{
	memcpy(page + item->lp_off - 32, page + item->lp_off, 27);
	item->lp_off -= 32;
}

static void
point_between(char *page, ItemId item)
{
	memmove(page + item->lp_off + 4, page + item->lp_off, 27);
	item->lp_off += 4;
}

static void
point_too_short(char *page, ItemId item)
{
	item->lp_len = RDB_RECORD_HEADER - 1;
	(void) page;
}

static void
point_at_another(char *page, ItemId item)
{
	*item = ((PageHeader) page)->pd_linp[0];
}

static void
point_into_another(char *page, ItemId item)
{
	item->lp_len += 8;
	(void) page;
}

static void
begin_in_line_pointers(char *page, ItemId item)
{
	((PageHeader) page)->pd_upper = 24;
	(void) item;
}

static void
begin_beyond_special(char *page, ItemId item)
{
	((PageHeader) page)->pd_upper = 1024;
	(void) item;
}

static const struct
{
	Damage		damage;
	const char *fault;
}			damages[] = {
	{point_beyond, "a line pointer to no possible record"},
	{point_below, "a line pointer to no possible record"},
	{point_between, "a line pointer to no possible record"},
	{point_too_short, "a line pointer to no possible record"},
	{point_at_another, "overlapping records"},
	{point_into_another, "overlapping records"},
	{begin_in_line_pointers, "impossible bounds of its free space"},
	{begin_beyond_special, "impossible bounds of its free space"},
};

static bool
knows_faults(void)
{
	char	   *page = (char *) aligned_page;

	for (size_t i = 0; i < lengthof(damages); i++)
	{
		const char *fault;

		rdb_page_init(page, 1024, 1);
		(void) rdb_page_insert(page, "abc", 3);
		(void) rdb_page_insert(page, "def", 3);
		damages[i].damage(page, &((PageHeader) page)->pd_linp[1]);
		fault = rdb_page_fault(page, 1024);
		if (fault == NULL || strcmp(fault, damages[i].fault) != 0)
		{
			printf("# damage %zu: %s\n", i, fault ? fault : "none");
			return false;
		}
	}
	return true;
}

static bool
knows_sizes(void)
{
	int			valid = 0;

	for (Size size = 0; size <= 70000; size++)
		valid += rdb_page_size_valid(size);
	return valid == 6 && rdb_page_size_valid(1024) && rdb_page_size_valid(32768) &&
		!rdb_page_size_valid(SIZE_MAX);
}

int
main(void)
{
	char		zeroes[32] = {0};

	/* RFC 3720, B.4 */
	check(rdb_crc32c("123456789", 9) == 3808858755u, "CRC of 123456789");
	check(rdb_crc32c(zeroes, 32) == 0x8a9136aa, "CRC of 32 zeroes");
	check(rdb_crc32c(zeroes, 0) == 0, "CRC of nothing");
	check(knows_sizes(), "sizes are 1 to 32 KiB, powers of two");
	check(refuses_long_records(), "refuses lengths and slots that nothing has");
	check(notices_flips(), "notices every flipped bit");
	check(knows_faults(), "knows line pointers and bounds that cannot be");
	for (Size size = RDB_PAGE_MIN_SIZE; size <= RDB_PAGE_MAX_SIZE; size *= 2)
	{
		char		name[80];

		snprintf(name, sizeof(name), "%d random operations on a page of %zu bytes",
				 OPERATIONS, size);
		check(behaves(size, size == 4096 ? UINT64_C(9000000000000000000) : size), name);
	}
	printf("1..%d\n", tests);
	return 0;
}
