#!/usr/bin/env node
// prebuildify drives node-gyp only: this stands in its place, calls cmake-js, and puts the binary below its working folder, where
// prebuildify looks for it.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const option = (name) => process.argv.find((arg) => arg.startsWith(`--${name}=`))?.split('=')[1];
const arch = option('arch') ?? process.arch;
const out = path.resolve('cmake');
const root = path.dirname(__dirname);
const args = [require.resolve('cmake-js/bin/cmake-js'), 'compile', '-d', root, '--out', out, '--arch', arch];
if (process.env.DTESN_TOOLCHAIN) args.push(`--CDCMAKE_TOOLCHAIN_FILE=${process.env.DTESN_TOOLCHAIN}`);
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
fs.mkdirSync('build/Release', { recursive: true });
fs.copyFileSync(path.join(out, 'Release/dtesn.node'), 'build/Release/dtesn.node');
