// The simulated bank: the product's sandbox acquirer on a machine and a disk of its own that do not
// crash with ours, so that its money can be compared with our ledger. Between it and payment
// requests and answers get lost, and captures arrive late or twice.
#pragma once
#include "libs/async/nursery.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/sql/sim/sim_disk.hpp"
#include "services/payment/sandbox_acquirer.hpp"
#include "sim/clock.hpp"
#include "sim/faults.hpp"

namespace urr::sim {

class Bank final : public payment::Acquirer {
public:
    Bank(SimWorld& world, FaultCounts& counts);

    Task<Result<payment::Charge>> capture(Context context, PaymentId key, Won amount,
                                          std::string card) override;
    Task<Result<payment::Charge>> look_up(Context context, PaymentId key) override;
    Task<Result<payment::Charge>> void_key(Context context, PaymentId key) override;
    Task<Result<void>> refund(Context context, PaymentId key) override;

    void set_trouble(unsigned permille) { trouble_permille_ = permille; }
    SqliteDatabase& store() { return *database_; }
    void clear() { nursery_.clear(); }
    std::uint64_t digest() const { return disk_.digest(); }

private:
    enum class Fate : std::uint8_t { well, request_lost, answer_lost, late, twice };
    Fate draw();
    bool loses(Fault what);
    static Task<> capture_late(Bank& bank, PaymentId key, Won amount, std::string card);
    Task<Result<void>> travel(Context context);

    FaultCounts& counts_;
    SimLoop loop_;
    WallClock clock_;
    SeededRandom random_;
    SimDisk disk_;
    std::unique_ptr<SqliteDatabase> database_;
    std::unique_ptr<payment::Acquirer> sandbox_;
    unsigned trouble_permille_ = 0;
    Nursery nursery_; // last: what is under way uses all of the above
};

} // namespace urr::sim
