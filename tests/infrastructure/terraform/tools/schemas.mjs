// Derives the AWS provider's schemas from the generated TypeScript bindings that npm serves, so that a
// stub can stand in for the provider where its binary is not to be had.
//   node schemas.mjs LIBRARY OUT.json TYPE…      TYPE is aws_x, or data.aws_x for a data source
// The bindings carry each attribute's name, type and whether it is required, optional or computed; the
// parser reads those facts and nothing else. What it derives is cached outside the tree, never committed.
import fs from 'node:fs';
import path from 'node:path';
import { patch } from './schema-patches.mjs';

const NESTING = { single: 1, list: 2, set: 3 };

const PRIMITIVE = {
    getStringAttribute: 'string',
    getNumberAttribute: 'number',
    getBooleanAttribute: 'bool',
    getListAttribute: ['list', 'string'],
    getNumberListAttribute: ['list', 'number'],
    getStringMapAttribute: ['map', 'string'],
    getBooleanMapAttribute: ['map', 'bool'],
    getNumberMapAttribute: ['map', 'number'],
    getAnyMapAttribute: ['map', 'string'],
};

const COLLECTION = {
    StringMap: ['map', 'string'],
    BooleanMap: ['map', 'bool'],
    NumberMap: ['map', 'number'],
    AnyMap: ['map', 'string'],
    StringMapList: ['list', ['map', 'string']],
};

// The package ships minified JavaScript with the TypeScript source in an inline source map.
function typescriptOf(file) {
    const js = fs.readFileSync(file, 'utf8');
    const map = js.slice(js.lastIndexOf('base64,') + 'base64,'.length).trim();
    return JSON.parse(Buffer.from(map, 'base64').toString()).sourcesContent[0];
}

// Large resources keep their structs in files of their own beside index.js.
function sourceOf(directory) {
    const texts = [typescriptOf(path.join(directory, 'index.js'))];
    for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
        if (!entry.isDirectory()) continue;
        const folder = path.join(directory, entry.name);
        for (const file of fs.readdirSync(folder)) {
            if (file.endsWith('.js') && file !== 'index.js')
                texts.push(typescriptOf(path.join(folder, file)));
        }
    }
    return texts.join('\n');
}

// What a `…HclTerraform` function says of its fields: whether each is a block, and of which nesting.
function fieldsOf(text) {
    const field =
        /^\s+(\w+): \{\n\s+value: [^\n]*,\n\s+isBlock: (true|false),\n\s+type: "(\w+)",\n\s+storageClassType: "[^"]*"/gm;
    return Object.fromEntries(
        [...text.matchAll(field)].map(([, name, isBlock, type]) => [
            name,
            { isBlock: isBlock === 'true', type },
        ]),
    );
}

class Binding {
    constructor(text) {
        this.classes = {};
        const found = [...text.matchAll(/export class (\w+) extends cdktf\.(\w+)/g)];
        found.forEach((match, i) => {
            const end = i + 1 < found.length ? found[i + 1].index : text.length;
            this.classes[match[1]] = { base: match[2], source: text.slice(match.index, end) };
        });
        this.structs = {};
        for (const match of text.matchAll(/export function (\w+)ToHclTerraform\(/g)) {
            const name = match[1][0].toUpperCase() + match[1].slice(1);
            this.structs[name] = fieldsOf(
                text.slice(match.index, text.indexOf('\n}\n', match.index)),
            );
        }
        this.version = text.match(/providers\/hashicorp\/aws\/([\d.]+)/)?.[1];
        const roots = ['TerraformResource', 'TerraformDataSource', 'TerraformProvider'];
        this.root = Object.keys(this.classes).find((name) =>
            roots.includes(this.classes[name].base),
        );
    }

    members(name) {
        const member =
            /\/\/ (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\s*\n([\s\S]*?)(?=\n\s+\/\/ \w+ - computed:|\n\s+\/\/ =====|$)/g;
        return [...this.classes[name].source.matchAll(member)].map(
            ([, field, computed, optional, required, body]) => ({
                name: field,
                body,
                computed: computed === 'true',
                optional: optional === 'true',
                required: required === 'true',
            }),
        );
    }

    objectType(name) {
        return [
            'object',
            Object.fromEntries(this.members(name).map((m) => [m.name, this.typeOf(m)])),
        ];
    }

    typeOf({ body }) {
        const collection = body.match(/new cdktf\.(\w+)\(this, "[^"]+"/);
        if (collection) return COLLECTION[collection[1]] ?? 'dynamic';
        const nested = nestedClass(body);
        if (nested) {
            if (this.classes[nested.name]?.base === 'ComplexObject')
                return ['list', this.objectType(nested.name)];
            const element = nested.name.replace(/(List|Map)$/, 'OutputReference');
            if (!this.classes[element]) return 'dynamic';
            const map = this.classes[nested.name]?.base === 'ComplexMap';
            return [map ? 'map' : nested.isSet ? 'set' : 'list', this.objectType(element)];
        }
        const getter = body.match(/this\.(get\w+Attribute)\(/);
        const type = PRIMITIVE[getter?.[1]] ?? 'dynamic';
        return /Fn\.tolist\(/.test(body) && Array.isArray(type) ? ['set', type[1]] : type;
    }

    block(name, fields) {
        const block = { attributes: [], block_types: [] };
        for (const member of this.members(name)) {
            const nested = nestedClass(member.body);
            if (fields[member.name]?.isBlock && nested) {
                block.block_types.push(this.blockType(member, nested, fields[member.name].type));
            } else {
                block.attributes.push({
                    name: member.name,
                    type: this.typeOf(member),
                    required: member.required,
                    optional: !member.required && member.optional,
                    computed: member.computed && !member.required,
                });
            }
        }
        return block;
    }

    blockType(member, nested, declared) {
        const single = this.classes[nested.name]?.base === 'ComplexObject';
        const element = single ? nested.name : nested.name.replace(/List$/, 'OutputReference');
        const struct = element.replace(/OutputReference$/, '');
        const isSet = declared === 'set' || nested.isSet;
        const nesting = declared === 'struct' ? NESTING.single : isSet ? NESTING.set : NESTING.list;
        const one = nesting === NESTING.single;
        return {
            type_name: member.name,
            nesting,
            block: this.block(element, this.structs[struct] ?? {}),
            min_items: member.required && !one ? 1 : 0,
            max_items: single && !one ? 1 : 0,
        };
    }

    schema() {
        const source = this.classes[this.root].source;
        return this.block(
            this.root,
            fieldsOf(source.slice(source.indexOf('synthesizeHclAttributes'))),
        );
    }
}

function nestedClass(body) {
    const match = body.match(/= new (\w+)\(this, "[^"]+"(?:, (true|false))?/);
    return match && { name: match[1], isSet: match[2] === 'true' };
}

function read(library, folder) {
    const directory = path.join(library, folder);
    if (!fs.existsSync(directory)) throw new Error(`the bindings have no ${folder}`);
    return new Binding(sourceOf(directory));
}

export function derive(library, types) {
    const out = { version: null, provider: null, resources: {}, data: {} };
    for (const wanted of types) {
        const isData = wanted.startsWith('data.');
        const type = wanted.replace(/^data\./, '');
        const name = type.replace(/^aws_/, '').replaceAll('_', '-');
        const binding = read(library, (isData ? 'data-aws-' : '') + name);
        (isData ? out.data : out.resources)[type] = binding.schema();
        out.version ??= binding.version;
    }
    out.provider = read(library, 'provider').schema();
    patch(out);
    return out;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
    const [, , library, file, ...types] = process.argv;
    const schemas = derive(library, types);
    fs.writeFileSync(file, JSON.stringify(schemas));
    const count = (o) => Object.keys(o).length;
    console.error(
        `schemas of aws ${schemas.version}: ${count(schemas.resources)} resources, ` +
            `${count(schemas.data)} data sources`,
    );
}
