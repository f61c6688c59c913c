// Plans both environments as their examples say and keeps the plans' JSON for the checks:
//   build/infrastructure/{prod,staging}.json
import fs from 'node:fs';
import path from 'node:path';
import { built, must, planJson, workspace } from './lib/terraform.mjs';

const place = workspace('plans');
for (const environment of ['prod', 'staging']) {
    const folder = place.environment(environment);
    must(folder, ['init', '-no-color', '-input=false']);
    must(folder, ['validate', '-no-color']);
    // As an operator's first plan is: nothing is known yet. A count that hangs on the unknown fails here.
    must(folder, ['plan', '-no-color', '-input=false']);
    const json = planJson(folder);
    fs.writeFileSync(path.join(built, `${environment}.json`), JSON.stringify(json));
    console.log(`planned ${environment}: ${json.resource_changes.length} resources`);
}
