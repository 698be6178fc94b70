# Two makefiles in one. The front doors (demo, check, …) must work on a machine that has nothing but git and make, so they
# only call scripts, which install what is missing. Everything else is an ordinary PGXS makefile.

FRONT_DOORS = demo demo-stop check check-long check-pg-core deps

ifneq ($(filter $(FRONT_DOORS),$(MAKECMDGOALS)),)

.PHONY: $(FRONT_DOORS)

demo:
	@bash bench/demo/demo

demo-stop:
	@bash bench/demo/demo stop

check:
	@bash .ci/check

check-long:
	@bash .ci/check long

check-pg-core:
	@bash .ci/pg-core
	@[ -n "$(AM)$(SHUFFLED)" ] || SHUFFLED=1 bash .ci/pg-core

deps:
	@bash -c 'set -euo pipefail; . .ci/lib.sh; install_packages check'

else

EXTENSION = rustydb_storage
MODULE_big = rustydb_storage
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c src/*/*/*.c)))
DATA = $(wildcard sql/rustydb_storage--*.sql)

# Explicit, so that a file that is in no list is found by `make check` and not forgotten.
REGRESS = events pages page_stores page_tables table_options column_groups
ISOLATION = listen pins
TAP_TESTS = 1
REGRESS_OPTS = --encoding=UTF8

# The newest installed PostgreSQL that has its headers and PGXS.
ifndef PG_CONFIG
PG_CONFIG := $(shell for c in $$(ls -d /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | sort -t/ -k5,5rn); do \
	[ -f "$$($$c --pgxs)" ] && [ -d "$$($$c --includedir-server)" ] && { echo $$c; exit; }; done; echo pg_config)
endif
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(wildcard $(PGXS)),)
$(error $(PG_CONFIG) has no PGXS: run `make deps', or set PG_CONFIG to a PostgreSQL with its development files)
endif

# PostgreSQL's headers are system headers, so that -Wextra speaks of our code only: a directory given by both -I (PGXS does
# that) and -isystem counts as -isystem, for gcc and clang.
PG_CPPFLAGS = -std=gnu11 -Wall -Wextra -Werror -isystem $(shell $(PG_CONFIG) --includedir-server) -I$(srcdir)/src
PG_CFLAGS = -MMD -MP
SHLIB_LINK = -ljansson -luring -lzstd

# PGXS hands clang the flags that PostgreSQL was built with, and that was gcc.
ifneq ($(findstring clang,$(notdir $(firstword $(CC)))),)
PG_CPPFLAGS += -Wno-unknown-warning-option -Wno-ignored-optimization-argument
endif

# No LLVM bitcode: it doubles the build and makes it depend on one version of clang. Our functions gain nothing from inlining.
override with_llvm = no

# `make installcheck' and `make' without a goal go on to PGXS.
EXTRA_CLEAN = $(OBJS:.o=.d) .build-flags

include $(PGXS)

# Headers: what the last compilation of each object read.
-include $(OBJS:.o=.d)

# Another compiler, other flags or another PostgreSQL: everything is compiled again.
BUILD_FLAGS = $(CC) $(CFLAGS) $(CPPFLAGS) $(VERSION)
ifneq ($(MAKECMDGOALS),clean)
.build-flags: FORCE
	@printf '%s\n' '$(subst ','\'',$(BUILD_FLAGS))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(BUILD_FLAGS))' >$@
$(OBJS): .build-flags
endif

# For scripts: `make -s print-REGRESS'.
print-%:
	@echo '$($*)'

.PHONY: FORCE
FORCE:

endif
