'use strict';

/**
 * What one option adds to a project.
 *
 * @typedef {object} Feature
 * @property {string} title
 * @property {string[]} settings lines of the call of `FeishuAuthModule.forRoot()`
 * @property {string[]} names what the root module imports from this package for the settings
 * @property {{ name: string; from: string; list: 'imports' | 'controllers' | 'providers' }[]} members what the root module lists
 * @property {{ path: string; text: string }[]} files
 * @property {string[]} environment lines of `.env.example`
 * @property {string[]} ignored lines of `.gitignore`
 * @property {Record<string, string>} dependencies
 * @property {string[]} steps what is left to do by hand
 */

/** @returns {Feature[]} the credentials first, then what the options ask for */
exports.featuresFor = (options, project) => [
  credentials(options),
  ...(options.health ? [health(project)] : []),
  ...(options.webhook ? [webhook(project)] : []),
  ...(options.login ? [login(project)] : []),
];

const NOTHING = {
  names: [],
  settings: [],
  members: [],
  files: [],
  environment: [],
  ignored: [],
  dependencies: {},
  steps: [],
};

function credentials({ domain }) {
  return {
    ...NOTHING,
    title: 'the credentials',
    settings: [
      'appId: process.env.FEISHU_APP_ID!,',
      'appSecret: process.env.FEISHU_APP_SECRET!,',
      ...(domain === 'lark' ? ["domain: 'lark',"] : []),
    ],
    environment: ['FEISHU_APP_ID=', 'FEISHU_APP_SECRET='],
    steps: [
      'Set FEISHU_APP_ID and FEISHU_APP_SECRET in the environment, as .env.example shows: App ID and App Secret from the developer console. End-to-end tests start the application, so they need both as well; any values do.',
    ],
  };
}

function health({ sourceRoot, isEsm, nestMajor }) {
  return {
    ...NOTHING,
    title: 'the health endpoint',
    members: [
      { name: 'TerminusModule', from: '@nestjs/terminus', list: 'imports' },
      { name: 'HealthController', from: relative('./health/health.controller', isEsm), list: 'controllers' },
    ],
    dependencies: { '@nestjs/terminus': `^${nestMajor}.0.0` },
    files: [
      {
        path: `/${sourceRoot}/health/health.controller.ts`,
        text: `import { Controller, Get } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import { FeishuAuthHealthIndicator } from 'nestjs-feishu-auth';

@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly feishu: FeishuAuthHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.feishu.isHealthy()]);
  }
}
`,
      },
    ],
    steps: ['GET /health tells how the app’s credential does; it never calls Feishu.'],
  };
}

function webhook({ sourceRoot, isEsm }) {
  return {
    ...NOTHING,
    title: 'the event endpoint',
    needsRawBody: true,
    settings: [
      "webhookPath: 'feishu/events',",
      'events: {',
      '  encryptKey: process.env.FEISHU_ENCRYPT_KEY!,',
      '  verificationToken: process.env.FEISHU_VERIFICATION_TOKEN!,',
      '},',
    ],
    members: [{ name: 'FeishuEvents', from: relative('./feishu/feishu-events', isEsm), list: 'providers' }],
    environment: ['FEISHU_ENCRYPT_KEY=', 'FEISHU_VERIFICATION_TOKEN='],
    files: [
      {
        path: `/${sourceRoot}/feishu/feishu-events.ts`,
        text: `import { Injectable, Logger } from '@nestjs/common';
import { type FeishuEvent, OnFeishuEvent } from 'nestjs-feishu-auth';

@Injectable()
export class FeishuEvents {
  private readonly logger = new Logger(FeishuEvents.name);

  /** Every event, verified and decrypted. Name a type for one of them, e.g. 'im.message.receive_v1'. */
  @OnFeishuEvent('*')
  onEvent({ eventType }: FeishuEvent): void {
    this.logger.log(\`received \${eventType}\`);
  }
}
`,
      },
    ],
    steps: [
      'In the developer console, under Events & Callbacks: set https://<your host>/feishu/events as the request URL, and copy Encrypt Key and Verification Token into FEISHU_ENCRYPT_KEY and FEISHU_VERIFICATION_TOKEN.',
    ],
  };
}

function login({ sourceRoot, isEsm }) {
  return {
    ...NOTHING,
    title: 'the login of users',
    names: ['FileUserTokenStore'],
    settings: [
      "loginPath: 'feishu/login',",
      'users: {',
      '  // For one host. Several share RedisUserTokenStore or SqlUserTokenStore.',
      "  store: new FileUserTokenStore({ directory: '.feishu-logins' }),",
      '  redirectUri: process.env.FEISHU_REDIRECT_URI!,',
      '},',
    ],
    members: [{ name: 'FeishuLogin', from: relative('./feishu/feishu-login', isEsm), list: 'providers' }],
    environment: ['FEISHU_REDIRECT_URI=http://localhost:3000/feishu/login/callback'],
    ignored: ['.feishu-logins'],
    files: [
      {
        path: `/${sourceRoot}/feishu/feishu-login.ts`,
        text: `import { Injectable } from '@nestjs/common';
import { type FeishuUser, OnFeishuLogin } from 'nestjs-feishu-auth';

@Injectable()
export class FeishuLogin {
  /** Start the session of your application here. Returns the path that the browser goes to. */
  @OnFeishuLogin()
  onLogin({ user, returnTo }: { user: FeishuUser; returnTo: string }): string {
    console.log(\`\${user.openId} has logged in\`);
    return returnTo;
  }
}
`,
      },
    ],
    steps: [
      'In the developer console, under Security Settings: add the redirect URL http://localhost:3000/feishu/login/callback, and the permission offline_access. Then open http://localhost:3000/feishu/login.',
    ],
  };
}

/** ES modules name the file that TypeScript writes. */
const relative = (path, isEsm) => (isEsm ? `${path}.js` : path);
