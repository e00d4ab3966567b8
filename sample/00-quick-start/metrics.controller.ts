import { Controller, Get } from '@nestjs/common';
import { type TokenMetricsSnapshot, TokenService } from 'nestjs-feishu-auth';

@Controller()
export class MetricsController {
  constructor(private readonly tokens: TokenService) {}

  @Get('metrics.json')
  metrics(): TokenMetricsSnapshot {
    return this.tokens.metrics();
  }
}
