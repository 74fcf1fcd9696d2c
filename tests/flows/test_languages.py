"""People read the language in which Slack speaks to them."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.flows.conversation import POLICY, Conversation, conversation


@pytest.fixture
async def chinese(tmp_path: Path) -> AsyncIterator[Conversation]:
    """A policy in which liu, to whom Slack speaks Chinese, may do what alice may."""
    people = POLICY["people"] | {"liu": "U0LIU"}
    grants = [*POLICY["grants"], {"name": "liu operates", "roles": ["operator"], "to": ["liu"]}]
    async with conversation(tmp_path, policy=POLICY | {"people": people, "grants": grants}) as talk:
        yield talk


async def test_everybody_is_answered_in_their_own_language(chinese: Conversation) -> None:
    await chinese.say("list", as_="dave")
    await chinese.say("shwo edge01 --site berlin", as_="liu")

    assert await chinese.answer("dave") == snapshot("Registry (only you): There are no connected registries.")
    assert await chinese.answer("liu") == snapshot("""\
Registry (only you): 没有命令 `shwo`。你要找的是不是 `/registry show`？
  /registry show edge01 --site berlin
  [运行此命令]\
""")


async def test_an_operation_speaks_the_language_of_whoever_asked_for_it(chinese: Conversation) -> None:
    await chinese.say("deploy", as_="liu")
    form = str(await chinese.form(as_="liu"))
    assert all(label in form for label in ("部署注册表", "存储库", "关闭"))
    await chinese.say("deploy edge01 --site hamburg", as_="liu")
    assert await chinese.card("bob") == snapshot("""\
Registry: :raised_hand:  *将 edge01 部署到 hamburg*  ·  等待批准
  发起人 @liu，TIME  ·  production  ·  `op-1`
  :warning:  尚未注册：`Microsoft.Kubernetes`、`Microsoft.KubernetesConfiguration` 和 `Microsoft.ExtendedLocation`。
  部署会注册它们；最多需要十分钟。
  :warning:  专用数据终结点已关闭；部署会将其启用。此后客户端会从其专用主机获取数据，防火墙必须放行这些主机。
  如果需要提前准备防火墙规则，请先启用它：之后 `check` 会显示这些主机。
  计划：11 个步骤
  [ ] 占用：服务 IP 10.112.0.2
      如果被抢先占用，则取下一个空闲地址
  [ ] 更改：资源提供程序的注册
      Microsoft.Kubernetes, Microsoft.KubernetesConfiguration, Microsoft.ExtendedLocation
  [ ] 更改：contosoacr 的数据终结点
      启用；边缘的防火墙必须放行
  [ ] 创建：映像 hello-world:latest
      来自 mcr.microsoft.com/hello-world:latest；已有的标记会保留
  [ ] 创建：范围映射 edge01
      存储库 hello-world
  [ ] 创建：同步令牌 edge01
  [ ] 创建：连接的注册表 edge01
      ReadOnly、时间表 * * * * *
  [ ] 创建：扩展 edge01
      pvc.storageRequest=250Gi、cert-manager.install=false
  [ ] 验证：群集中的 Deployment、Service 和卷
  [ ] 验证：edge01 上线
  [ ] 验证：edge01 的首次同步
  规则 *production needs a second person*  ·  计划 `DIGEST`
  :raised_hand:  *将 edge01 部署到 hamburg？* 需要 edge-approvers 的一次批准。 TIME 过期。
  [批准] [拒绝…] [取消] [显示详细信息]
    Registry: :raised_hand:  请查看上面的计划并做出决定。@edge-approvers \
""")

    await chinese.click("批准", as_="bob")

    assert "将 edge01 部署到 hamburg*  ·  在线，批准人 bob" in await chinese.card("bob")
    assert all(re.search("[\u4e00-\u9fff]", line) for line in await chinese.thread("bob"))


async def test_alerts_and_summaries_speak_the_language_of_whoever_wants_them(chinese: Conversation) -> None:
    await chinese.say("deploy edge01 --site berlin")
    await chinese.post("/sandbox/edge/berlin", link="down")
    await chinese.say("watch berlin", as_="liu")
    await chinese.say("watches berlin --now", as_="bob")
    await chinese.bot.watching.cycle()
    await chinese.post("/sandbox/azure/connectedregistries/contosoacr/edge01", connectionState="Offline")
    chinese.time.ahead += timedelta(minutes=20)
    await chinese.bot.watching.cycle()
    await chinese.quiet()

    assert await chinese.transcript() == snapshot("""\
alice  /registry deploy edge01 --site berlin
bot    Deploy edge01 to berlin: online
liu    /registry watch berlin
bot    此频道监视站点 berlin，汇总报告无   [立即发布汇总报告]
bob    /registry watches berlin --now
bot    站点 berlin 的汇总报告：1 正常   [显示全部]
bot    :large_orange_circle:  *edge01（站点 berlin）离线*   [检查 berlin] [确认] [暂缓 1 小时] [暂缓至早上] [暂缓至状态变化] [显示]\
""")
