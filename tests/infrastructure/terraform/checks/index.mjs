import alarms from './alarms.mjs';
import cluster from './cluster.mjs';
import door from './door.mjs';
import engines from './engines.mjs';
import identity from './identity.mjs';
import network from './network.mjs';
import policies from './policies.mjs';
import security from './security.mjs';
import work from './work.mjs';

export const checks = [
    ...network,
    ...cluster,
    ...engines,
    ...door,
    ...work,
    ...security,
    ...identity,
    ...alarms,
    ...policies,
];
