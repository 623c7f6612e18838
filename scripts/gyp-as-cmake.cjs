#!/usr/bin/env node
// prebuildify drives node-gyp only: this stands in its place and calls cmake-js.
const { spawnSync } = require('node:child_process');

const option = (name) => process.argv.find((arg) => arg.startsWith(`--${name}=`))?.split('=')[1];
const args = [require.resolve('cmake-js/bin/cmake-js'), 'rebuild', '--arch', option('arch') ?? process.arch];
if (process.env.DTESN_TOOLCHAIN) args.push(`--CDCMAKE_TOOLCHAIN_FILE=${process.env.DTESN_TOOLCHAIN}`);
process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1);
