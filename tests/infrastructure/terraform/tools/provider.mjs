// A stand-in for the AWS provider: speaks plugin protocol 5 with the schemas of schemas.mjs, calls no
// cloud, keeps no state of its own. Terraform starts it; URR_SCHEMAS names the schemas' file.
// It checks required arguments, plans computed values, makes them up at apply, and replaces what AWS
// cannot change in place. With URR_STUB_RESOLVED=1 computed values are made up at plan time already: the
// plan's JSON then shows which resource points at which, and policies come out whole.
// It does not know the rules of AWS's interfaces: a value that only AWS would refuse passes.
import fs from 'node:fs';
import path from 'node:path';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import { Decoder, Encoder, ExtData, ExtensionCodec } from '@msgpack/msgpack';
import { dataValues, madeUp, replacedBy } from './provider-values.mjs';

const here = path.dirname(new URL(import.meta.url).pathname);
const schemas = JSON.parse(fs.readFileSync(process.env.URR_SCHEMAS));
const resolved = process.env.URR_STUB_RESOLVED === '1';
let region = 'ap-northeast-2';

const extensionCodec = new ExtensionCodec();
const decoder = new Decoder({ extensionCodec });
const encoder = new Encoder({ extensionCodec, ignoreUndefined: true });
const decode = (value) => (value?.msgpack?.length ? decoder.decode(value.msgpack) : null);
const encode = (value) => ({ msgpack: Buffer.from(encoder.encode(value)) });

const unknown = new ExtData(0, new Uint8Array([0]));
const isUnknown = (value) => value instanceof ExtData;
const isAbsent = (value) => value === null || value === undefined;

// Visits a value beside its schema: each object of each nested block, with the block that describes it.
function visit(block, value, act, where = '') {
    if (isAbsent(value) || isUnknown(value)) return;
    act(block, value, where);
    for (const child of block.block_types) {
        const content = value[child.type_name];
        const at = `${where}${child.type_name}.`;
        if (Array.isArray(content))
            content.forEach((element, i) => visit(child.block, element, act, `${at}${i}.`));
        else visit(child.block, content, act, at);
    }
}

function missingArguments(block, value) {
    const diagnostics = [];
    visit(block, value, (content, object, where) => {
        for (const field of content.attributes) {
            if (!field.required || !isAbsent(object[field.name])) continue;
            diagnostics.push({
                severity: 1,
                summary: 'Missing required argument',
                detail: `"${where}${field.name}" is required`,
            });
        }
    });
    return diagnostics;
}

function plan({ type_name: type, proposed_new_state: proposed, prior_state: before }) {
    const value = decode(proposed);
    if (value === null) return { planned_state: proposed, legacy_type_system: true };
    const prior = decode(before);
    const identity = prior?.id ?? madeUp.identity(type);
    visit(schemas.resources[type], value, (content, object) => {
        for (const field of content.attributes) {
            if (!field.computed || !isAbsent(object[field.name])) continue;
            object[field.name] = resolved
                ? madeUp.value(type, field, identity, region, value)
                : unknown;
        }
    });
    return {
        planned_state: encode(value),
        legacy_type_system: true,
        requires_replace: prior
            ? replacedBy(type, prior, value).map((name) => ({ steps: [{ attribute_name: name }] }))
            : [],
    };
}

function apply({ type_name: type, planned_state: planned, prior_state: before }) {
    const value = decode(planned);
    if (value === null) return { new_state: planned, legacy_type_system: true };
    const identity =
        decode(before)?.id ??
        (isUnknown(value.id) || isAbsent(value.id) ? madeUp.identity(type) : value.id);
    const block = schemas.resources[type];
    visit(block, value, (content, object) => {
        for (const field of content.attributes) {
            if (isUnknown(object[field.name]))
                object[field.name] = madeUp.value(type, field, identity, region, value);
        }
        for (const child of content.block_types) {
            if (isUnknown(object[child.type_name]))
                object[child.type_name] = child.nesting === 1 ? null : [];
        }
    });
    return { new_state: encode(value), legacy_type_system: true };
}

function readData({ type_name: type, config }) {
    const value = decode(config);
    Object.assign(value, dataValues(type, value, region));
    for (const field of schemas.data[type].attributes) {
        if (field.computed && isAbsent(value[field.name])) {
            value[field.name] = madeUp.value(type, field, `data-${type}`, region, value);
        }
    }
    return { state: encode(value) };
}

const wire = (block) => ({
    attributes: block.attributes.map((a) => ({ ...a, type: Buffer.from(JSON.stringify(a.type)) })),
    block_types: block.block_types.map((b) => ({ ...b, block: wire(b.block) })),
});
const wireSchemas = (blocks) =>
    Object.fromEntries(
        Object.entries(blocks).map(([name, block]) => [name, { version: 0, block: wire(block) }]),
    );

const provider = {
    GetSchema: () => ({
        provider: { version: 0, block: wire(schemas.provider) },
        resource_schemas: wireSchemas(schemas.resources),
        data_source_schemas: wireSchemas(schemas.data),
        server_capabilities: {},
    }),
    PrepareProviderConfig: ({ config }) => ({ prepared_config: config }),
    Configure: ({ config }) => {
        region = decode(config)?.region ?? region;
        return {};
    },
    ValidateResourceTypeConfig: ({ type_name: type, config }) => ({
        diagnostics: missingArguments(schemas.resources[type], decode(config)),
    }),
    ValidateDataSourceConfig: ({ type_name: type, config }) => ({
        diagnostics: missingArguments(schemas.data[type], decode(config)),
    }),
    PlanResourceChange: plan,
    ApplyResourceChange: apply,
    ReadResource: ({ current_state: state }) => ({ new_state: state }),
    UpgradeResourceState: ({ raw_state: raw }) => ({
        upgraded_state: encode(JSON.parse(Buffer.from(raw.json))),
    }),
    ReadDataSource: readData,
    Stop: () => ({}),
};

const load = (file) =>
    grpc.loadPackageDefinition(
        loader.loadSync(path.join(here, file), {
            keepCase: true,
            longs: Number,
            defaults: false,
            oneofs: true,
        }),
    );
const unary = (act) => (call, answer) => {
    try {
        answer(null, act(call.request));
    } catch (error) {
        answer({ code: grpc.status.INTERNAL, message: String(error.stack) });
    }
};

const server = new grpc.Server({
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
});
server.addService(
    load('tfplugin5.proto').tfplugin5.Provider.service,
    Object.fromEntries(Object.entries(provider).map(([name, act]) => [name, unary(act)])),
);
server.addService(load('grpc_controller.proto').plugin.GRPCController.service, {
    Shutdown: (call, answer) => {
        answer(null, {});
        setTimeout(() => process.exit(0), 10);
    },
});
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    process.stdout.write(`1|5|tcp|127.0.0.1:${port}|grpc\n`);
});
