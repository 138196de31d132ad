"""Tests that only `./cqrs test --slow` runs, because a test beside them shows the same faster.

For tests that are slow by nature (thousands of seeds, large files) the marker stands at the test. What is listed here
shows nothing alone: another variant of the same test, or the test named by ``instead``, shows the same in the ordinary
run. `conftest.py` marks them; `tests/unit/test_moved_to_slow.py` holds that they and their substitutes exist,
`tests/unit/test_scenarios.py` that no scenario is left without an ordinary test.
"""

from __future__ import annotations

from dataclasses import dataclass

OTHER_WORKFLOW = "the other variants of commandWorkflow run the same steps; each is in the simulation, too"
EVERY_FIFTH = "the ordinary run has every fifth of the places, with each kind of fault"
LATER_PARTS = ("1", "2", "3", "4")
MORE_SEEDS = "more of the same, from other seeds"
ROUTE = "tests/unit/handlers/imports/test_route.py"
IN_MEMORY = f"each file in both modes is in {ROUTE}, in memory"

#: Where EXPRESS is no other than STANDARD: nothing waits by a token. By file of tests/e2e.
EXPRESS_TOO = {
    "failures_reported": ("test_edge_14_53_a_huge_error_of_one_target",),
    "imports": ("test_imp_09_what_cannot_be_imported",),
    "operations": (
        *("test_dup_05_redrive_of_a_finished_command", "test_ord_09_ops_01_explain_and_redrive", "test_ord_10_skip"),
        *(
            "test_ord_19_skip_is_refused_while_the_map_runs",
            "test_who_waits_on_outlives_its_execution_without_an_alarm",
        ),
    ),
    "order": ("test_dup_01_a_stream_record_twice", "test_ord_05_a_mismatch", "test_ord_15_another_handler_still_runs"),
    "pipeline": (
        *("test_pipe_03_three_handlers_in_parallel", "test_pipe_04_a_permanent_error"),
        *("test_pipe_05_a_transient_error_twice", "test_pipe_07_13_a_crash_for_good_in_every_state"),
        *("test_pipe_07_a_function_that_runs_out_of_time", "test_pipe_08_no_custom_handler", "test_pipe_12_the_alarm"),
        "test_pipe_13_record_failure_itself_fails",
    ),
    "sizes": (
        *("test_pipe_06_a_handler_that_returns_a_megabyte", "test_pipe_10_a_bucket_that_throttles_is_tried_again"),
        "test_pipe_10_an_object_that_is_gone",
    ),
    "sweeper": ("test_dup_08_a_start_that_got_lost", "test_ord_18_finish_fails_for_good_after_done"),
    "workflows": (
        *("test_wf_01_its_role_log_group_and_alarms", "test_wf_01_a_workflow_is_two_files"),
        "test_wf_02_unknown_machines_and_states_are_named",
    ),
}


def seeds(first: int, end: int) -> tuple[str, ...]:
    """Ids of parameters that are numbers, the end left out."""
    return tuple(str(seed) for seed in range(first, end))


@dataclass(frozen=True)
class Moved:
    """``variants``: ids of parameters, or parts of ids between dashes; none: the whole test, and ``instead`` is the
    ordinary test (``path::name``) that shows the same. ``why``: what shows the same in the meantime."""

    path: str
    test: str
    variants: tuple[str, ...]
    why: str
    instead: str | None = None

    def names(self, variant: str | None) -> bool:
        """Whether the test with parameters of this id is meant; None: it has none."""
        if not self.variants:
            return True
        return variant is not None and bool({variant, *variant.split("-")} & set(self.variants))


MOVED = (
    Moved(
        "tests/e2e/test_import_machine.py",
        "test_imp_02_a_file_has_the_same_outcome_in_both_modes",
        (
            *("backslash.csv", "big_field.csv", "blank_lines.csv", "cp932.csv", "crlf.csv", "duplicate_header.csv"),
            *("empty.csv", "quoted_newline.csv"),
            *("duplicate_keys.csv", "formula.csv", "header_only.csv", "long_rows.csv", "no_trailing_newline.csv"),
            *("short_rows.csv", "semicolon.csv", "unicode.csv", "utf8_bom.csv"),
        ),
        IN_MEMORY,
    ),
    *(
        Moved("tests/e2e/test_imports.py", test, (), "the same in memory, in both modes, or by the machine", instead)
        for test, instead in {
            "test_imp_03_04_a_file_again_and_changed": f"{ROUTE}::test_imp_04_only_changed_rows_are_published",
            "test_imp_05_06_repeated_keys_and_bad_rows": (
                "tests/e2e/test_import_machine.py::test_imp_06_16_bad_rows_and_a_file_that_is_replaced"
            ),
            "test_an_import_is_cancelled_on_its_way": (
                "tests/e2e/test_import_machine.py::test_cancelled_while_the_map_runs"
            ),
            "test_imp_07_a_retry_loads_what_was_missing_and_tries_failed_rows_again": (
                "tests/unit/handlers/imports/test_retry.py::test_imp_09_a_file_that_was_missing_is_loaded"
            ),
            "test_imp_15_a_command_that_fails_fails_its_row": (
                "tests/unit/handlers/imports/test_route.py::test_imp_15_a_command_that_fails_fails_its_row"
            ),
        }.items()
    ),
    Moved(
        "tests/e2e/test_import_faults.py",
        "test_edge_24_25_a_thousand_rows_of_which_a_tenth_is_bad_in_ten_ways",
        ("DIRECT", "1000"),
        "the mode STEP_FUNCTION has each way to be bad, in fewer rows",
    ),
    Moved(
        "tests/e2e/test_operations.py",
        "test_ord_11_redrive_brings_fifty_successors_through",
        ("STANDARD", "EXPRESS"),
        OTHER_WORKFLOW,
    ),
    Moved(
        "tests/e2e/test_switch.py",
        "test_inl_06_ops_07_a_hundred_commands_in_flight",
        ("STANDARD-EXPRESS", "EXPRESS-STANDARD", "STANDARD-INLINE", "INLINE-STANDARD", "INLINE-EXPRESS"),
        "tests/simulation/test_operators.py switches between each two, with faults",
    ),
    Moved("tests/e2e/test_sizes.py", "test_pipe_09_200_handlers", ("STANDARD", "INLINE"), OTHER_WORKFLOW),
    *(
        Moved(f"tests/e2e/test_{file}.py", test, ("EXPRESS",), OTHER_WORKFLOW)
        for file, tests in EXPRESS_TOO.items()
        for test in tests
    ),
    Moved(
        "tests/e2e/test_sizes.py",
        "test_pub_11_pipe_10_attributes_of_any_size",
        ("STANDARD", "EXPRESS"),
        OTHER_WORKFLOW,
    ),
    *(
        Moved(path, test, LATER_PARTS, EVERY_FIFTH)
        for path, tests in {
            "tests/simulation/test_every_call.py": (
                "test_dup_02_each_lambda_call_is_delivered_twice_or_refused",
                "test_dup_03_a_crash_before_and_after_each_call",
                "test_dup_03_an_answer_lost_after_each_call_and_the_sdk_s_own_repeat",
                "test_dup_04_throttling_on_each_call",
                "test_pipe_14_a_zombie_at_each_call_of_every_state",
                "test_ord_06_07_a_slow_call_at_any_point_delays_no_successor",
            ),
            "tests/simulation/test_import_every_call.py": (
                "test_dup_03_a_crash_before_and_after_each_call",
                "test_dup_04_each_call_is_throttled_once",
                "test_dup_01_dup_02_each_delivery_and_each_call_twice",
            ),
            "tests/simulation/test_sweeper.py": (
                "test_dup_08_an_express_execution_killed_at_each_call",
                "test_dup_08_a_standard_execution_killed_at_each_call",
            ),
            "tests/simulation/test_workflow_seeds.py": ("test_saga_03_a_crash_or_a_duplicate_at_every_call",),
            "tests/unit/handlers/imports/test_cancel.py": (
                "test_g5_cancelled_between_any_two_calls",
                "test_imp_08_dup_03_cancelled_with_a_crash_at_each_call",
            ),
            "tests/unit/handlers/imports/test_machine.py": (
                "test_imp_13_a_crash_at_each_call_beside",
                "test_imp_19_a_crash_at_each_call_beside",
            ),
            "tests/unit/handlers/imports/test_retry.py": (
                "test_g5_a_job_fails_and_is_retried_while_its_loader_writes_and_its_rows_run",
                "test_g5_a_retry_is_cancelled_between_any_two_calls",
                "test_g5_another_call_resets_the_rows_between_any_two_calls",
                "test_imp_07_dup_03_a_crash_at_each_call_of_a_retry",
                "test_imp_07_more_failed_rows_than_one_call_can_reset",
            ),
            "tests/unit/handlers/imports/test_route.py": ("test_imp_08_dup_03_a_crash_at_each_call",),
            "tests/unit/handlers/imports/test_sweeper.py": ("test_g1_the_sweeper_stops_at_each_of_its_calls",),
            "tests/unit/handlers/imports/test_sync.py": ("test_imp_08_dup_03_sync_a_crash_at_each_call",),
            "tests/unit/handlers/imports/test_zip_route.py": (
                "test_zip_07_dup_03_a_crash_at_each_call",
                "test_zip_cancelled_at_any_moment",
                "test_zip_the_machine_is_aborted_at_any_moment",
            ),
            "tests/unit/handlers/tasks/test_route.py": ("test_dup_03_a_crash_at_each_call",),
            "tests/unit/handlers/workflows/test_transfer.py": ("test_saga_03_a_fault_at_every_call",),
        }.items()
        for test in tests
    ),
    *(
        Moved(path, test, variants, MORE_SEEDS)
        for path, test, variants in (
            (
                "tests/simulation/test_seeds.py",
                "test_ord_14_guarantees_hold_under_faults",
                # 16 and 17 meet a write that only its condition keeps from going back.
                (*seeds(10, 16), *seeds(18, 50)),
            ),
            (
                "tests/simulation/test_seeds.py",
                "test_ord_14_without_faults_everything_is_done_without_alarm",
                seeds(106, 112),
            ),
            (
                "tests/simulation/test_seeds.py",
                "test_edge_65_without_faults_and_duplicates_each_outcome_is_sent_once",
                seeds(102, 104),
            ),
            (
                "tests/simulation/test_inline.py",
                "test_ord_14_without_faults_everything_is_done_without_alarm",
                seeds(104, 108),
            ),
            (
                "tests/simulation/test_inline.py",
                "test_inl_04_a_command_that_ends_the_process_keeps_back_nobody",
                seeds(3, 6),
            ),
            (
                "tests/simulation/test_inline.py",
                "test_inl_05_two_hundred_versions_of_one_entity_in_one_burst",
                ("2-1", "3-4"),
            ),
            ("tests/simulation/test_inline.py", "test_inl_07_two_consumers_on_each_entity", seeds(8, 16)),
            ("tests/simulation/test_seeds.py", "test_the_same_seed_gives_the_same_trace", ("4",)),
            ("tests/simulation/test_import_seeds.py", "test_the_same_seed_gives_the_same_trace", ("4",)),
            ("tests/simulation/test_workflow_seeds.py", "test_the_same_seed_gives_the_same_trace", ("4",)),
            (
                "tests/simulation/test_import_seeds.py",
                "test_imp_15_without_faults_rows_fail_only_for_their_own_reasons",
                seeds(106, 112),
            ),
            (
                "tests/simulation/test_import_seeds.py",
                "test_inl_01_rows_that_are_published_asynchronously_are_applied_by_the_streams_consumer",
                seeds(4, 12),
            ),
            (
                "tests/simulation/test_import_seeds.py",
                "test_edge_65_without_faults_and_duplicates_each_outcome_is_sent_once",
                seeds(102, 104),
            ),
            (
                "tests/simulation/test_workflow_seeds.py",
                "test_saga_01_saga_02_wf_01_without_faults_the_ends_are_the_asked_ones",
                seeds(103, 106),
            ),
            ("tests/simulation/test_inline.py", "test_ord_14_the_guarantees_hold_under_faults", seeds(8, 30)),
            (
                "tests/simulation/test_inline.py",
                "test_inl_02_three_workflows_mixed_and_switched_under_way",
                seeds(12, 36),
            ),
            (
                "tests/simulation/test_import_seeds.py",
                "test_dup_01_dup_04_imp_08_imp_15_promises_hold_under_faults",
                seeds(12, 36),
            ),
            (
                "tests/simulation/test_workflow_seeds.py",
                "test_saga_03_wf_03_wf_04_wf_05_wf_06_ops_04_promises_hold_under_faults",
                seeds(10, 40),
            ),
            (
                "tests/simulation/test_operators.py",
                "test_ord_14_ops_02_redrive_brings_everything_through",
                seeds(6, 12),
            ),
            ("tests/unit/handlers/imports/test_route.py", "test_imp_08_dup_02_duplicates_in_any_order", seeds(12, 50)),
        )
    ),
    Moved(
        "tests/simulation/test_workflow_seeds.py",
        "test_saga_03_a_crash_or_a_duplicate_at_every_call",
        ("transfer SUCCEEDED",),
        "tests/unit/handlers/workflows/test_transfer.py has a fault at every call, and so has the transfer that fails",
    ),
    Moved(
        "tests/simulation/test_on_endpoint.py",
        "test_ord_14_on_the_endpoint",
        ("1", "2", *seeds(5, 10)),
        "three seeds stay; tests/simulation/test_seeds.py has more, on its own store",
    ),
    Moved(
        "tests/simulation/test_mutants.py",
        "test_some_mutations_are_caught",
        ("unconditional data write",),
        "the other mutation is caught the same way",
    ),
    Moved(
        "tests/samples/test_cli.py",
        "test_loc_06_signals_stop_it_at_any_time",
        (
            *("arguments2-publish [#-2", "arguments3-apply [#-2", "arguments4-apply [#-15"),
            *("arguments5-deploying stack-2", "arguments6-serving on-2", "arguments7-serving on-15"),
        ),
        "both signals stay, at the start and while it deploys",
    ),
    Moved(
        "tests/samples/test_cli.py",
        "test_loc_01_demo_with_a_failing_handler_on_a_terminal",
        (),
        "the demo without failures stays; what it shows of a handler that fails is the alarm of PIPE-12",
        "tests/e2e/test_pipeline.py::test_pipe_12_the_alarm",
    ),
    Moved(
        "tests/samples/test_cli.py",
        "test_bad_input_is_one_clear_line",
        ("unknown placeholder", "unknown field", "unknown state type", "unknown key", "wrong value", "missing module"),
        "what is refused has tests of its own; two kinds stay for the line on the terminal",
    ),
    *(
        Moved("tests/simulation/test_every_call.py", test, ("EXPRESS-terminal-0",), OTHER_WORKFLOW)
        for test in (
            "test_dup_03_a_crash_before_and_after_each_call",
            "test_dup_04_throttling_on_each_call",
            "test_dup_03_an_answer_lost_after_each_call_and_the_sdk_s_own_repeat",
            "test_pipe_14_a_zombie_at_each_call_of_every_state",
        )
    ),
    Moved(
        "tests/simulation/test_operators.py",
        "test_ops_07_the_workflow_is_switched_with_100_commands_in_flight",
        seeds(1, 4),
        "one seed of each pair stays",
    ),
    Moved(
        "tests/unit/handlers/workflows/test_transfer.py",
        "test_saga_03_a_fault_at_every_call",
        ("failed command-throttled-0", "works-throttled-0", "undone-throttled-0"),
        "a call that dies before it is made ends like one that is throttled",
    ),
    Moved(
        "tests/e2e/test_order.py",
        "test_ord_13_fifty_versions_in_random_order",
        ("2", "EXPRESS", "STANDARD"),
        "one seed of INLINE stays; tests/simulation/test_seeds.py has more of each",
    ),
    Moved(
        "tests/e2e/test_order.py",
        "test_ord_08_both_sides_may_resume",
        tuple("234567"),
        "two seeds of each workflow stay; the simulation has more",
    ),
    Moved(
        "tests/e2e/test_pipeline.py",
        "test_pipe_07_a_crash_is_retried",
        ("EXPRESS", "1"),
        "STANDARD is crashed twice in each state; tests/simulation/test_every_call.py crashes the others, too",
    ),
    Moved(
        "tests/e2e/test_sweeper.py",
        "test_dup_08_an_execution_killed_from_outside",
        ("STANDARD-check_version", "STANDARD-history_copy", "EXPRESS"),
        "two states of STANDARD stay; tests/simulation/test_sweeper.py kills at each call",
    ),
    Moved(
        "tests/e2e/test_airports_import.py",
        "test_imp_01_every_row_becomes_a_command",
        ("some-machine", "some-direct"),
        "the rows of some-sync stay; tests/unit/handlers/imports/test_route.py makes commands of rows in both modes",
    ),
    Moved(
        "tests/e2e/test_json_lines.py",
        "test_imp_20_a_hundred_rows_with_bad_ones_in_both_modes",
        ("STEP_FUNCTION",),
        "DIRECT imports the file by the machine, too, after it",
    ),
    Moved(
        "tests/e2e/test_sync_targets.py",
        "test_ten_versions_reach_every_kind_of_target_in_order",
        ("2",),
        "one seed stays; the order is that of tests/simulation",
    ),
    Moved(
        "tests/e2e/test_regions.py",
        "test_edge_06_07_a_command_runs_in_the_configured_region",
        ("us-gov-west-1", "eu-west-1"),
        "cn-north-1 is another region and of another partition",
    ),
    Moved(
        "tests/e2e/test_edges_of_the_laptop.py",
        "test_edge_41_the_demo_in_a_hostile_environment",
        (),
        "the same listener, asked by the clients of every service and by processes that are started",
        "tests/unit/local/aws/test_environment.py::test_edge_41_clients_of_every_service_reach_the_endpoint",
    ),
    Moved(
        "tests/e2e/test_serve.py",
        "test_loc_02_aws_cli",
        (),
        "the calls of the printed commands by boto3; tests/e2e/test_serve.py has the lines, too",
        "tests/e2e/test_serve.py::test_loc_02_any_sdk",
    ),
    Moved(
        "tests/unit/launcher/test_launcher.py",
        "test_two_at_once_make_one_environment",
        (),
        "an environment is made anew by the same code, under the same lock",
        "tests/unit/launcher/test_launcher.py::test_two_at_once_mend_a_broken_environment_once",
    ),
    Moved(
        "tests/samples/test_first_application.py",
        "test_app_09_the_page_works_as_it_stands",
        (),
        "the page's handlers, deployed by their test; its commands, served, are those of tests/e2e/test_serve_data.py, "
        "test_imports_cli.py and test_operations_cli.py",
        "tests/samples/test_first_application.py::test_app_09_the_handlers_and_their_test_work_as_they_stand",
    ),
    Moved(
        "tests/samples/test_cost.py",
        "test_inl_08_the_committed_counts_are_those_of_today_and_as_promised",
        ("STANDARD terminal", "EXPRESS full", "EXPRESS terminal", "INLINE full"),
        "STANDARD with all statuses stays, and INLINE with the last ones; EXPRESS makes the calls of STANDARD",
    ),
    Moved(
        "tests/simulation/test_import_ends.py",
        "test_edge_25_a_job_ends_within_seconds_of_its_last_row",
        ("1000-slow_tail",),
        "smaller files have this profile, and files of a thousand rows the other profiles",
    ),
    Moved(
        "tests/simulation/test_consumers.py",
        "test_ord_17_whatever_the_order_of_steps_all_are_done_in_order_and_once",
        ("the successor comes to two, a lease ends",),
        "the other starts have the same steps in every order; leases end in tests/simulation/test_every_call.py",
    ),
    Moved(
        "tests/e2e/test_import_machine.py",
        "test_imp_08_batches_come_twice_children_die_and_the_end_is_retried",
        (),
        "the same faults, and more, in memory",
        "tests/simulation/test_import_seeds.py::test_dup_01_dup_04_imp_08_imp_15_promises_hold_under_faults",
    ),
    Moved(
        "tests/e2e/test_editing.py",
        "test_app_08_a_handler_is_repaired_and_its_command_redriven",
        (),
        "the same by processes, once they were killed",
        "tests/e2e/test_serve_data.py::test_app_07_serve_is_killed_and_goes_on",
    ),
    Moved(
        "tests/e2e/test_preview.py",
        "test_pr_02_the_command_prints_it",
        (),
        "the comparison that it prints, of a copy; tests/unit/local/preview has the texts",
        "tests/e2e/test_preview.py::test_pr_02_the_files_as_committed_change_nothing",
    ),
    Moved(
        "tests/e2e/test_edges_of_the_laptop.py",
        "test_edge_42_every_runtime_has_its_own_log",
        (),
        "the same of the function that chooses the file",
        "tests/unit/handlers/operations/cli/test_log_file.py::test_edge_42_every_runtime_has_its_own_log_file",
    ),
    Moved(
        "tests/e2e/test_edges_of_the_laptop.py",
        "test_edge_42_queues_are_where_the_endpoint_is",
        (),
        "the same of an endpoint in the test's process",
        "tests/unit/local/aws/test_operations.py::test_edge_42_queue_urls_are_where_the_endpoint_is_served",
    ),
    Moved(
        "tests/unit/docs/test_docs.py",
        "test_python_blocks_run",
        ("docs/testing.md",),
        "tests/e2e/test_application_kit.py makes the calls that the page shows, and more; other pages stay",
    ),
    Moved(
        "tests/infra/test_archive_alone.py",
        "test_inf_05_runs_alone",
        tuple(f"{name}-True" for name in ("apply", "imports", "loader", "outcomes", "sweeper", "tasks")),
        "the functions that most calls go to stay; tests/unit/test_cold_start.py has what each imports",
    ),
    *(
        Moved("tests/infra/test_partitions.py", test, ("us-gov-west-1",), "one of two other partitions stays")
        for test in ("test_edge_07_every_arn_is_of_the_partition", "test_edge_07_integrations_are_of_the_partition")
    ),
    Moved(
        "tests/e2e/test_kept_state.py",
        "test_app_07_killed_at_any_call",
        (),
        "the same by a process that is killed",
        "tests/e2e/test_serve_data.py::test_app_07_serve_is_killed_and_goes_on",
    ),
    Moved(
        "tests/e2e/test_foreign_application.py",
        "test_app_10_the_checks_pass_and_the_tests_are_collected",
        (),
        "no test outside tests/samples names a sample or the repository's own stacks, which is what fails there",
        "tests/e2e/test_foreign_application.py::test_app_10_no_test_but_the_samples_needs_them",
    ),
    Moved(
        "tests/mutation/test_run.py",
        "test_a_module_that_breaks_on_import_and_a_loop_without_end_are_caught",
        (),
        "a mutant that is caught by its line's test, and one by wider tests; mutation runs are --slow themselves",
        "tests/mutation/test_run.py::test_a_mutant_is_caught_by_a_test_of_its_line_and_the_copy_is_mended",
    ),
    Moved(
        "tests/e2e/test_operators_by_api.py",
        "test_api_05_who_is_not_let_in_writes_nothing",
        (),
        "every route with every role and tenant, and what is in the tables afterwards, in memory",
        "tests/unit/handlers/api/test_access.py::test_api_05_only_the_role_is_let_in",
    ),
    Moved(
        "tests/e2e/test_workflow_samples.py",
        "test_saga_03_a_crash_at_calls_of_the_functions",
        (),
        "a crash before and after every call, in memory",
        "tests/simulation/test_workflow_seeds.py::test_saga_03_a_crash_or_a_duplicate_at_every_call",
    ),
    Moved(
        "tests/e2e/test_workflow_samples.py",
        "test_ops_04_wf_05_answered_on_the_command_line",
        ("reject",),
        "the other answer takes the same way",
    ),
    Moved(
        "tests/e2e/test_operations.py",
        "test_ops_02_a_hundred_failed_commands_finish_in_order",
        (),
        "all that failed is redriven, with faults, in memory; tests/e2e/test_operations_cli.py redrives by time",
        "tests/simulation/test_operators.py::test_ord_14_ops_02_redrive_brings_everything_through",
    ),
    Moved(
        "tests/e2e/test_zip_imports.py",
        "test_zip_cancelled_while_a_file_is_imported",
        (),
        "an archive cancelled between any two steps, in memory",
        "tests/unit/handlers/imports/test_zip_route.py::test_zip_cancelled_at_any_moment",
    ),
    Moved(
        "tests/e2e/test_inline.py",
        "test_inl_05_two_hundred_versions_in_one_burst",
        (),
        "the same burst on the simulation's store",
        "tests/simulation/test_inline.py::test_inl_05_two_hundred_versions_of_one_entity_in_one_burst",
    ),
)
