#include "sim/process.hpp"

namespace urr::sim {

std::unique_ptr<SqliteDatabase> Process::open_store(const std::string& name,
                                                    std::span<const Migration> migrations,
                                                    Random& random) {
    const Plant plant = around_.plan.plant;
    SqliteOptions options;
    options.path = name + ".db";
    options.clock = &around_.clock;
    options.vfs = disk_.vfs();
    if (plant == Plant::sync_off) options.synchronous = "OFF";
    options.acknowledge_before_commit = plant == Plant::acknowledge_before_commit;
    auto database = open_sqlite_on_loop(options, loop_, random);
    if (!database || !migrate(**database, migrations)) return nullptr;
    const PlantInfo& planted = info_of(plant);
    if (planted.store && name == planted.store && !(*database)->run_script(planted.script))
        return nullptr;
    return std::move(*database);
}

} // namespace urr::sim
