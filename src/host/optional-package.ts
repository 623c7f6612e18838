/**
 * Optional packages, imported on first use.
 *
 * Errors: DtesnError ERR_DTESN_PACKAGE that names the npm command when the package is not installed.
 */
import { DtesnError } from '../errors/index.js';

/** `install`: the packages after `npm install` in the message, several where the purpose needs several. */
export async function importOptional(
  name: string,
  range: string,
  purpose: string,
  install = `${name}@${range}`,
): Promise<unknown> {
  try {
    return await import(name);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    const message = `Expected the package ${name} for ${purpose} but it is not installed: npm install ${install}`;
    throw new DtesnError('ERR_DTESN_PACKAGE', message, { cause });
  }
}
