# The commands of the project. `make run` and `make test` install what is missing by themselves.
.PHONY: setup-engines test-infrastructure test-terraform run test bench stampede run-distributed stampede-distributed chaos fuzz format lint clean help setup release

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## install what the build needs (Debian packages; needs root)
	@scripts/setup

setup-engines: # and what the tests against real engines need
	@scripts/setup engines

release: setup ## build the programs into build/release
	@scripts/build release urr urr-sim bench_client order_client hold_client relay_client line_client

run: release ## start everything with demo data
	@exec scripts/run

test: setup-engines ## all tests
	@exec scripts/test

test-infrastructure: ## Terraform and the edge, planned and checked without a cloud
	@exec scripts/test-infrastructure

test-terraform: ## the long form: both environments applied, changed, broken and destroyed
	@exec scripts/test-infrastructure long

stampede: release ## 10,000 fans at 1,000 seats, against a private system, with an audit
	@exec scripts/stampede

run-distributed: setup-engines release ## PostgreSQL, Redis, Kafka, DynamoDB, SQS, S3, two copies of each role and nginx, in the foreground
	@exec scripts/run-distributed

stampede-distributed: setup-engines release ## the stampede through nginx and two copies of each role on real engines, with an audit
	@exec scripts/stampede-distributed

chaos: setup-engines release ## an hour: scripts/chaos, chaos-distributed all, chaos-network, chaos-kafka; each sale audited
	@scripts/chaos
	@scripts/chaos-distributed all
	@scripts/chaos-network
	@scripts/chaos-kafka

fuzz: setup ## an hour of each fuzzer
	@exec scripts/fuzz

bench: setup-engines release ## ours beside the yardsticks
	@exec bench/run

format: ## lay out the C++ files
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format-19 -i

lint: setup ## look for bugs without running anything (clang-tidy, layout, scripts)
	@exec scripts/lint

clean: ## remove what was built
	@rm -rf build
