// src/ and the pinned packages → ../static/dist/. The same inputs give the same bytes, which CI checks by building again.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, parse, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, transform } from 'esbuild';
import { trim } from './trim.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, '../static/dist');
const target = ['chrome109', 'firefox115', 'safari16.4'];
const ICONS = `alert-circle alert-triangle arrow-back-up arrow-left arrow-right bell bell-ringing building-community calendar camera check checks
  chevron-down chevron-left chevron-right circle-check clock device-desktop download edit eye file-text filter flag focus-centered hand-stop help-circle
  history home hourglass inbox info-circle keyboard language list-details login logout map-pin maximize menu-2 message minus moon paperclip phone photo
  plus printer refresh search send settings shield-check sitemap star sun switch-horizontal text-size trash upload user user-check users x zoom-in
  zoom-out message-report alarm lock arrow-forward-up player-play player-stop`.split(/\s+/);

const read = (path) => readFileSync(join(here, path));
const write = (name, content) => writeFileSync(join(dist, name), content);
const sha256 = (content) => createHash('sha256').update(content).digest('hex');

async function bundle(entries) {
  const entryPoints = entries.map((entry) => ({ in: `src/${entry}`, out: parse(entry).name }));
  const result = await build({
    absWorkingDir: here, entryPoints, outdir: dist, assetNames: '[name]', bundle: true, minify: true, format: 'iife', target, charset: 'utf8', legalComments: 'none', metafile: true, logLevel: 'warning',
    alias: { '@bpmn-io/feel-editor': './src/studio/no-feel.js' },
    loader: { '.woff': 'empty', '.woff2': 'file', '.ttf': 'empty', '.eot': 'empty', '.svg': 'dataurl' },
  });
  return Object.keys(result.metafile.inputs);
}

/** Tabler without what is never shown, then our own rules. */
async function styles() {
  const tabler = trim(read('node_modules/@tabler/core/dist/css/tabler.min.css').toString().replace(/\/\*[^]*?\*\//g, ''));
  const own = await transform(['src/app.css', 'src/pages.css'].map((name) => read(name).toString()).join('\n'), { loader: 'css', minify: true, target, charset: 'utf8' });
  write('app.css', tabler + '\n' + own.code);
}

function sprite() {
  const symbols = ICONS.map((name) => {
    const svg = read(`node_modules/@tabler/icons/icons/outline/${name}.svg`).toString();
    const paths = svg.replace(/^[^]*?<svg[^>]*>|<\/svg>\s*$/g, '').replace(/<path stroke="none"[^>]*>/, '').replace(/\s*\n\s*/g, '');
    return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${paths}</symbol>`;
  });
  write('icons.svg', `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join('\n')}\n</svg>\n`);
}

/** Tabler's package holds no licence file, only the head of its style sheet. */
const tablerNotice = () => read('node_modules/@tabler/core/dist/css/tabler.css').toString().match(/\/\*!([^]*?)\*\//)[1].replace(/^ \* ?/gm, '');

/** The licence texts of everything that went in. */
function licences(inputs) {
  const packages = new Set(['@tabler/core', '@tabler/icons']);
  for (const input of inputs) {
    const name = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/)?.[1];
    if (name) packages.add(name);
  }
  const texts = [...packages].sort().map((name) => {
    const folder = `node_modules/${name}`;
    const { version, license } = JSON.parse(read(`${folder}/package.json`));
    const file = readdirSync(join(here, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    return `${name} ${version} (${license})\n\n${(file ? read(`${folder}/${file}`).toString().replace(/\r\n/g, '\n') : tablerNotice()).trim()}\n`;
  });
  write('LICENSES.txt', texts.join(`\n${'-'.repeat(80)}\n\n`));
}

function manifest() {
  const folder = (path) => readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const hashes = (root, files) => Object.fromEntries(files.map((file) => [relative(root, file).replaceAll('\\', '/'), sha256(readFileSync(file))]).sort(([a], [b]) => (a < b ? -1 : 1)));
  const inputs = ['package.json', 'package-lock.json', 'build.mjs', 'trim.mjs'].map((name) => join(here, name)).concat(folder(join(here, 'src')));
  write('MANIFEST.json', JSON.stringify({ inputs: hashes(here, inputs), outputs: hashes(dist, folder(dist)) }, null, 2) + '\n');
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const STUDIO = ['studio/studio.js', 'studio/studio.css', 'studio/studio-tables.js', 'studio/studio-tables.css'];
const inputs = await bundle(['theme.js', 'app.js', 'diagram.js', 'diagram.css', ...STUDIO]);
await styles();
sprite();
licences(inputs);
manifest();
for (const name of readdirSync(dist)) console.log(name.padEnd(16), String(readFileSync(join(dist, name)).length).padStart(8), String(gzipSync(readFileSync(join(dist, name)), { level: 9 }).length).padStart(8), 'gz');
