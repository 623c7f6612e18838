#!/usr/bin/env node
// prebuildify drives node-gyp only: this stands in its place, calls cmake-js, and puts the binary where it is looked for.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const option = (name) => process.argv.find((arg) => arg.startsWith(`--${name}=`))?.split('=')[1];
const out = path.join('build', `prebuild-${option('arch') ?? process.arch}`);
const args = [
  require.resolve('cmake-js/bin/cmake-js'),
  'compile',
  '--out',
  out,
  '--arch',
  option('arch') ?? process.arch,
];
if (process.env.DTESN_TOOLCHAIN) args.push(`--CDCMAKE_TOOLCHAIN_FILE=${process.env.DTESN_TOOLCHAIN}`);
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
// By rename, so that a process which has the old file loaded keeps it.
fs.mkdirSync('build/Release', { recursive: true });
fs.copyFileSync(path.join(out, 'Release/dtesn.node'), 'build/Release/dtesn.node.new');
fs.renameSync('build/Release/dtesn.node.new', 'build/Release/dtesn.node');
