// Runs Terraform on a copy of terraform/, with local state and the stand-in provider.
//   const place = workspace('prod-play');            // build/infrastructure/prod-play
//   terraform(place.environment('prod'), ['plan'])   // → { code, out }
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { zip } from '../../../../edge/package/zip.mjs';

export const root = path.resolve(path.dirname(new URL(import.meta.url).pathname), '../../../..');
export const built = path.join(root, 'build/infrastructure');

// Stands in for the secret header's value wherever a plan needs one; tests look where it turns up.
export const SENTINEL = 'sentinel-value-of-the-origin-header-0123456789';

let toolchain;
export function environment() {
    if (!toolchain) {
        const assignments = execFileSync(path.join(root, 'scripts/infrastructure/toolchain'), {
            encoding: 'utf8',
            stdio: ['ignore', 'pipe', 'inherit'],
        });
        toolchain = Object.fromEntries(
            [...assignments.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
        );
    }
    return toolchain;
}

const LEFT_BEHIND = /^(\.terraform|.*\.tfstate.*|.*\.plan|tofu)$/;

export function workspace(name) {
    const place = path.join(built, name);
    fs.rmSync(place, { recursive: true, force: true });
    fs.cpSync(path.join(root, 'terraform'), path.join(place, 'terraform'), {
        recursive: true,
        filter: (source) => !LEFT_BEHIND.test(path.basename(source)),
    });
    fs.cpSync(path.join(root, 'edge'), path.join(place, 'edge'), { recursive: true });
    const nothing = zip([{ name: 'bootstrap', content: '', executable: true }]);
    for (const file of [
        'functions/vwr-api',
        'functions/vwr-advancer',
        'functions/ticket-worker',
        'edge/token-check',
        'edge/authorizer',
    ]) {
        const target = path.join(place, 'build', `${file}.zip`);
        fs.mkdirSync(path.dirname(target), { recursive: true });
        fs.writeFileSync(target, nothing);
    }
    const environmentOf = (env) => path.join(place, 'terraform/environments', env);
    for (const env of ['prod', 'staging']) {
        const folder = environmentOf(env);
        fs.writeFileSync(
            path.join(folder, 'local_override.tf'),
            'terraform {\n  backend "local" {}\n}\n',
        );
        fs.copyFileSync(
            path.join(folder, 'terraform.tfvars.example'),
            path.join(folder, 'terraform.tfvars'),
        );
    }
    return {
        path: place,
        environment: environmentOf,
        module: (module) => path.join(place, 'terraform/modules', module),
    };
}

export function terraform(folder, args, { resolved = false, variables = {}, secrets = true } = {}) {
    const env = {
        ...process.env,
        ...environment(),
        URR_STUB_RESOLVED: resolved ? '1' : '0',
        // No retries of what looks like the cloud: nothing here may reach it.
        AWS_EC2_METADATA_DISABLED: 'true',
    };
    if (secrets) env.TF_VAR_origin_secrets = JSON.stringify([SENTINEL]);
    for (const [name, value] of Object.entries(variables)) env[`TF_VAR_${name}`] = value;
    const result = spawnSync(env.TERRAFORM, args, {
        cwd: folder,
        env,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
    });
    return { code: result.status, out: result.stdout + result.stderr, stdout: result.stdout };
}

export function must(folder, args, options) {
    const result = terraform(folder, args, options);
    if (result.code !== 0)
        throw new Error(`terraform ${args.join(' ')} in ${folder}:\n${result.out}`);
    return result;
}

// A plan's JSON in which computed values are made up, so that it shows what points at what.
export function planJson(folder, options = {}) {
    must(folder, ['plan', '-no-color', '-input=false', '-out=shown.plan'], {
        ...options,
        resolved: true,
    });
    return JSON.parse(
        must(folder, ['show', '-json', 'shown.plan'], { ...options, resolved: true }).stdout,
    );
}
