"""Words of Lean 4 that may not stand in a proof, because they begin a command, run code while the proof is compiled, or
leave something unproved."""

_COMMANDS = """
abbrev add_aesop_rules add_decl_doc alias attribute axiom axioms binder_predicate builtin_initialize class coinductive
compile_def compile_inductive constant count_heartbeats declare_syntax_cat def deriving dsimproc dsimproc_decl elab
elab_rules end erase_aesop_rules example export extend_docs grind_pattern import include inductive infix infixl infixr
init_quot initialize initialize_simps_projections instance irreducible_def lemma library_note local macro macro_rules
meta mutual namespace noncomputable nonrec notation notation3 omit opaque partial postfix prefix prelude private
proof_wanted protected public recommended_spelling scoped seal section simproc simproc_decl simproc_pattern structure
suppress_compilation syntax theorem unif_hint universe universes unseal unsuppress_compilation variable variables
whatsnew
"""
COMMANDS = frozenset(_COMMANDS.split())
"""Of Lean and Mathlib: no tactic or term begins with one of these."""

COMMAND_PREFIXES = ("assert_", "builtin_", "declare_", "elab_", "initialize_", "macro_", "register_", "test_")

SCOPES = frozenset({"open", "set_option"})
"""Commands that may also stand in a term or a tactic block, where they change scopes and options."""

_COMPILE_TIME = """
by_elab csimp elab_as_elim eval_expr extern implemented_by include_str native nativeDecide native_decide ofReduceBool
ofReduceNat reduceBool reduceNat run_cmd run_conv run_elab run_meta run_tac term_elab trustCompiler unsafe
unsafeBaseIO unsafeCast unsafeEIO unsafeIO
"""
COMPILE_TIME = frozenset(_COMPILE_TIME.split())
"""What runs code of the proof's, or trusts compiled code."""

UNPROVED = frozenset({"sorry", "sorryAx", "admit", "stop", "lcProof", "lcUnreachable", "lcAny"})
"""What closes a goal without a proof."""

_TACTICS = """
aesop all_goals any_goals apply apply_fun assumption by_cases by_contra calc case cases change choose clear congr
constructor contradiction contrapose conv convert decide dsimp exact exacts exfalso exists ext field_simp fin_cases
first focus funext gcongr generalize grind group have haveI induction infer_instance injection interval_cases intro
intros left let linarith linear_combination match mod_cast module native_decide next nlinarith nofun norm_cast
norm_num nth_rewrite obtain omega order polyrith positivity pull_cast push_cast push_neg rcases refine refine'
rename_i repeat replace rewrite rfl right ring ring_nf rintro rotate_left rw rwa set show simp simp_all simp_rw simpa
specialize split split_ifs subst subst_vars suffices swap symm symmetry tauto trans trivial try unfold use wlog zify
"""
TACTICS = frozenset(_TACTICS.split())
"""Words with which a tactic begins, to tell the next tactic from the continuation of one. The list need not be
complete."""
