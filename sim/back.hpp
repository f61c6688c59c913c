// The process that holds ticket, queue and payment with their stores and the event log, wired as
// the program wires them, behind the doors through which the gateway reaches them.
#pragma once
#include "libs/contract/guarded.hpp"
#include "libs/messaging/relay.hpp"
#include "libs/messaging/table_log.hpp"
#include "services/catalog/catalog.hpp"
#include "services/payment/http/routes.hpp"
#include "services/payment/tickets_client.hpp"
#include "services/queue/catalog_client.hpp"
#include "services/queue/http/routes.hpp"
#include "services/ticket/http/admin_routes.hpp"
#include "services/ticket/http/routes.hpp"
#include "sim/bank.hpp"
#include "sim/process.hpp"

namespace urr::sim {

class Back final : public Process {
public:
    // `room`: where the waiting room listens.
    Back(Surroundings& around, Bank& bank, Endpoint& room);
    ~Back() override;

    // Where each service listens.
    Endpoint& ticket() { return ticket_endpoint_; }
    Endpoint& queue() { return queue_endpoint_; }
    Endpoint& payment() { return payment_endpoint_; }
    bool healthy() const override;

    // For the checker: nullptr while the process is dead.
    struct Stores {
        std::unique_ptr<SqliteDatabase> ticket, payment, queue, events;
    };
    const Stores* stores() const;
    void set_redelivery(unsigned permille) { redelivered_permille_ = permille; }
    unsigned redelivery() const { return redelivered_permille_; }

private:
    struct Life; // what dies with the process
    static Task<> run(Back& back, Life& life);
    bool build() override;
    void tear_down() override;

    Bank& bank_;
    Endpoint& room_;
    Endpoint ticket_endpoint_, catalog_endpoint_, queue_endpoint_, payment_endpoint_;
    unsigned redelivered_permille_ = 0;
    std::unique_ptr<Life> life_;
};

} // namespace urr::sim
