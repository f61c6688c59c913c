#include "sim/run.hpp"

#include <algorithm>

#include "sim/checker.hpp"
#include "sim/organizer.hpp"

namespace urr::sim {

namespace {

constexpr Duration patience = hours(3); // for everything to settle once the trouble is over
constexpr Duration looks_each = milliseconds(250);

// The whole simulated world of a seed.
class Play {
public:
    Play(const Plan& plan, TraceOptions options)
        : plan_(plan), world_(plan.seed), trace_(world_, options.print, options.keep),
          front_(around_), back_(around_, bank_, front_.room()),
          weather_(around_, machines(), bank_), organizer_(stage_) {
        front_.reaches(back_);
    }
    ~Play() { close(); }

    Outcome run() {
        weather_.start_machines();
        {
            Loop::Enter in(&outside_);
            nursery_.spawn(organizer_.open_sale());
            nursery_.spawn(time_passes());
        }
        until([this] { return organizer_.open(); }, minutes(5), "the sale does not open");
        start_everybody();
        until([this] { return weather_.calm(); }, hours(1), "the machines do not come up");
        organizer_.stop();
        until([this] { return everybody_is_done() && checker_.settled(); }, patience, nullptr);
        finish();
        Outcome outcome;
        if (violations_.any()) outcome.violation = violations_.first();
        outcome.sales = checker_.sold();
        outcome.simulated = world_.now() - Instant{};
        outcome.steps = world_.steps();
        for (const Process* process :
             {static_cast<Process*>(&front_), static_cast<Process*>(&back_)})
            counts_.add(
                Fault::sync_failure,
                std::uint64_t(const_cast<Process*>(process)->disk().counters().failed_syncs));
        outcome.faults = counts_;
        outcome.digest = trace_.digest() ^ front_.disk().digest() ^ (back_.disk().digest() << 1) ^
                         (bank_.digest() << 2);
        outcome.trace = trace_.text();
        return outcome;
    }

private:
    std::vector<std::unique_ptr<Machine>> machines() {
        std::vector<std::unique_ptr<Machine>> all;
        if (plan_.one_machine) {
            all.push_back(
                std::make_unique<Machine>(around_, std::vector<Process*>{&front_, &back_}));
        } else {
            for (Process* process : {static_cast<Process*>(&front_), static_cast<Process*>(&back_)})
                all.push_back(std::make_unique<Machine>(around_, std::vector<Process*>{process}));
        }
        return all;
    }

    // Also while every process is down.
    static Task<> time_passes() {
        for (;;) (void)co_await sleep(Context{}, milliseconds(50));
    }
    void step() {
        if (!world_.step()) violations_.add("nothing is left to happen");
        weather_.after_step();
        checker_.after_step();
    }
    template <class Condition>
    void until(Condition condition, Duration most, const char* otherwise) {
        const Instant limit = world_.now() + most;
        Instant look{};
        while (!violations_.any()) {
            step();
            if (world_.now() < look) continue;
            look = world_.now() + looks_each;
            if (condition()) return;
            if (world_.now() < limit) continue;
            violations_.add(otherwise ? otherwise : "it does not settle: " + what_is_open());
        }
    }

    void start_everybody() {
        Loop::Enter in(&outside_);
        for (int i = 0; i < plan_.fans; ++i)
            fans_.push_back(std::make_unique<Fan>(stage_, i, world_.random().next()));
        for (auto& fan : fans_) nursery_.spawn(fan->live());
        if (plan_.levers) nursery_.spawn(organizer_.pull_levers());
        weather_.begin();
        back_.set_redelivery(plan_.redelivered_permille);
    }
    bool everybody_is_done() const {
        return std::ranges::all_of(fans_, [](const auto& fan) { return fan->done(); }) &&
               (!plan_.levers || organizer_.stopped());
    }
    std::string what_is_open() {
        for (const auto& fan : fans_)
            if (!fan->done())
                return "fan " + std::to_string(fan->number()) + " has no final answer";
        return checker_.unsettled();
    }
    // Once more everything loses power; then it must all be there.
    void finish() {
        back_.set_redelivery(0);
        if (!violations_.any()) weather_.cut_power();
        until([this] { return weather_.calm() && back_.ready() && front_.ready(); }, minutes(5),
              "the machines do not come up at the end");
        if (!violations_.any()) checker_.at_the_end();
    }
    // The world ends in order: who asks, who answers, what was on its way.
    void close() {
        nursery_.clear();
        fans_.clear();
        for (Process* process : {static_cast<Process*>(&front_), static_cast<Process*>(&back_)}) {
            process->disk().die();
            process->kill();
        }
        network_.clear();
        bank_.clear();
        while (world_.step()) {
        }
    }

    const Plan plan_;
    SimWorld world_;
    Trace trace_;
    FaultCounts counts_;
    WallClock clock_{world_};
    SimLoop outside_{world_};
    Network network_{world_, counts_};
    Surroundings around_{plan_, world_, clock_, network_, counts_, trace_};
    Bank bank_{world_, counts_};
    Front front_;
    Back back_;
    Weather weather_;
    Violations violations_;
    Told told_{violations_};
    Checker checker_{around_, front_, back_, bank_, weather_, told_, violations_};
    std::unique_ptr<Transport> gateway_ = network_.connect(front_.endpoint());
    Stage stage_{around_, *gateway_, told_, violations_, {}, {}};
    Organizer organizer_;
    std::vector<std::unique_ptr<Fan>> fans_;
    Nursery nursery_;
};

} // namespace

Outcome play(const Plan& plan, TraceOptions options) { return Play(plan, options).run(); }

} // namespace urr::sim
