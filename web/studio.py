"""What the lower floors say about processes in the making: marked here for the catalogue."""

from __future__ import annotations

from web.language import N_

STUDIO = (
    # drafts
    N_("草稿已被他人修改。"),
    N_("草稿已由%(name)s于 %(when)s 修改，您的内容没有保存。"),
    N_("草稿正由他人编辑。"),
    N_("%(name)s正在编辑这份草稿，您可以查看，或者接手编辑。"),
    N_("草稿已提交审批或已结束，不能再修改。"),
    N_("流程包中不能有名为“%(name)s”的文件"),
    N_("文件中有无法保存的字符"),
    N_("流程的编号应保持为 %(key)s"),
    N_("请填写流程的名称，不超过 %(n)s 个字"),
    # submitting
    N_("草稿与现行版本没有不同，不必提交。"),
    N_("草稿不是从现行版本改起的，不能提交。"),
    N_("草稿改起以后又发布了第 %(n)s 版，请先核对两者的不同，再以现行版本为基础提交。"),
    N_("草稿的内容与审批时的指纹不符，没有发布。"),
    N_("这个流程已有一项变更在审批或等待生效。"),
    N_("场景没有通过，不能提交。"),
    N_("场景没有通过，不能提交：%(names)s。"),
    N_("系统自用的流程不能停用。"),
    N_("请写明变更的理由"),
    N_("理由不能超过 %(n)s 个字"),
    N_("生效时刻应在现在之后、一年之内"),
    N_("提交人撤回"),
    N_("%(act)s流程“%(name)s”"),
    N_("发布"),
    N_("停用"),
    N_("新建流程“%(name)s”"),
    N_("停用流程“%(name)s”"),
    # what is wrong
    N_("“%(name)s”的时限单位“%(unit)s”不存在。"),
    N_("“%(name)s”的核对“%(check)s”不存在。"),
    N_("“%(name)s”的查询“%(lookup)s”不存在。"),
    N_("“%(name)s”没有设置表单。"),
)
