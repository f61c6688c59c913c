#include "services/worker/component.hpp"

namespace urr::worker {

namespace {

Options options_of(const Settings& given) {
    Options options;
    options.again = seconds(given.number("URR_WORKER_AGAIN_SECONDS"));
    options.visible = seconds(given.number("URR_SQS_VISIBLE_SECONDS"));
    return options;
}

} // namespace

Component::Component(const Settings& given, Needs needs)
    : ledger_(needs.ledger), service_({needs.works, needs.ledger, needs.log, options_of(given)}) {}

} // namespace urr::worker
