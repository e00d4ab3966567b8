/**
 * Which build of the package this file belongs to. `.ci/tools/build.mjs` puts the version and the module format in; as they
 * stand here, they name the sources that the tests run.
 *
 * @internal
 */
export const THIS_COPY = { version: 'sources', format: 'sources' };
