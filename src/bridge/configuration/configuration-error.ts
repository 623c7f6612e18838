/** What is wrong with a file or a variable of the configuration: one line that names it and the field. */
import { brand } from '../../errors/index.js';

export class ConfigurationError extends Error {
  /** The field alone, for who may not see paths; undefined where the message is of no field. */
  readonly field: string | undefined;

  constructor(message: string, options: ErrorOptions & { field?: string } = {}) {
    super(message, options);
    this.field = options.field;
    this.name = 'ConfigurationError';
  }
}

/** Whether something is an error of the configuration's file or environment. */
export const isConfigurationError = brand(ConfigurationError, 'ConfigurationError');
