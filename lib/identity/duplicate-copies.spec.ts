import { describeCopies, DuplicateCopies } from './duplicate-copies.js';
import { serviceIdOf } from './feishu-service.decorator.js';
import { sameServiceOfOtherCopies } from './loaded-copies.js';
import { TokenService } from '../token.service.js';
import { getFeishuServiceToken } from '../feishu-auth.injection.js';

describe('several copies of the package in one process', () => {
  it.each([
    [
      'a build of each format: the advice is to use one module system',
      [
        { version: '1.2.3', format: 'ES modules' },
        { version: '1.2.3', format: 'CommonJS' },
      ],
      /2 copies of nestjs-feishu-auth: 1\.2\.3 \(ES modules\), 1\.2\.3 \(CommonJS\)\..*either `import` or `require\(\)`/,
    ],
    [
      'two versions: the advice is to install one',
      [
        { version: '1.2.3', format: 'ES modules' },
        { version: '1.3.0', format: 'ES modules' },
      ],
      /`npm ls nestjs-feishu-auth`, and install one version/,
    ],
    [
      'the same version installed twice: the advice is to deduplicate',
      [
        { version: '1.2.3', format: 'CommonJS' },
        { version: '1.2.3', format: 'CommonJS' },
      ],
      /`npm dedupe`/,
    ],
  ])('%s', (_title, copies, message) => {
    expect(describeCopies(copies)).toMatch(message);
  });

  it('one copy alone is not reported, and has no other classes to provide', () => {
    const warnings: unknown[] = [];
    new DuplicateCopies({ warn: (message: unknown) => void warnings.push(message) }).onModuleInit();
    expect(warnings).toEqual([]);
    expect(sameServiceOfOtherCopies('TokenService')).toEqual([]);
  });
});

describe('the id of a service', () => {
  it('does not depend on the name of its class, which a minifier changes', () => {
    const before = getFeishuServiceToken(TokenService, 'lark');
    const name = Object.getOwnPropertyDescriptor(TokenService, 'name');
    Object.defineProperty(TokenService, 'name', { value: 'a', configurable: true });
    try {
      expect(getFeishuServiceToken(TokenService, 'lark')).toBe(before);
      expect(before).toBe('FeishuAuth:TokenService(lark)');
    } finally {
      Object.defineProperty(TokenService, 'name', name ?? { value: 'TokenService', configurable: true });
    }
  });

  it('is refused for a class that is not a service of this package', () => {
    class Foreign {
      readonly name = 'foreign';
    }
    expect(() => serviceIdOf(Foreign)).toThrow(/Foreign is not a service of nestjs-feishu-auth/);
  });
});
