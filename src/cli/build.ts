/** `dtesn build`: builds the addon from source; scripts/build-native.mjs says how. */
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { argumentsOf } from './arguments.js';
import { printJson, printPage } from './output.js';
import { packageFile } from './package-file.js';

export async function build(args: string[]): Promise<number> {
  const { values } = argumentsOf('build', args);
  const script = pathToFileURL(packageFile('scripts/build-native.mjs')).href;
  const { buildNative } = (await import(script)) as { buildNative: () => void };
  try {
    buildNative();
  } catch (error) {
    // A Ctrl-C that ended the build is seen when the event loop turns, and then it is what ended the command.
    await pause(10);
    throw error;
  }
  const built = packageFile('build/Release/dtesn.node');
  if (values.json) printJson({ built });
  else printPage(`The addon is built: ${built}`);
  return 0;
}
