/** The configuration that a bridge starts with: flags or program over environment over file over defaults. */
import { fileLayer, readConfigText } from './config-file.js';
import { ConfigurationError } from './configuration-error.js';
import { environmentLayer } from './environment.js';
import { emptyLayer, type FieldError, layerOf, type Resolved, resolve } from './layers.js';
import { brokenRules } from './rules.js';

export interface StartOptions {
  /** Fields of flags or program, checked. */
  flags: object;
  environment: NodeJS.ProcessEnv;
  path: string | undefined;
}

export interface StartConfiguration {
  resolved: Resolved;
  file: { path: string; text: string } | null;
  /** Rules that flags, program or environment break. */
  warnings: readonly FieldError[];
}

/** Errors: ConfigurationError, one line that names the file or the variable, and the field. */
export function startConfiguration({ flags, environment, path }: StartOptions): StartConfiguration {
  const file = path === undefined ? null : { path, text: readConfigText(path) };
  const resolved = resolve({
    http: emptyLayer,
    flag: layerOf(flags),
    environment: environmentLayer(environment),
    file: file === null ? emptyLayer : fileLayer(file.path, file.text),
  });
  const { errors, warnings } = brokenRules(resolved);
  const [broken] = errors;
  if (broken === undefined) return { resolved, file, warnings };
  const where = file === null ? 'the configuration' : `the configuration with the file ${file.path}`;
  throw new ConfigurationError(`${where} cannot be taken: ${broken.field}: ${broken.message}`);
}
