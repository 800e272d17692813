from tasks.engines.seeds import base_seed


def test_problems_have_disjoint_ranges_of_seeds() -> None:
    bases = {base_seed(seed, f"problem {number}") for seed in range(3) for number in range(2_000)}
    assert len(bases) == 6_000
    assert all(one % 2**20 == 0 and one >= 0 and one + 2**20 - 1 < 2**63 for one in bases)


def test_base_seeds_equal_the_golden_ones() -> None:
    assert base_seed(0, "p") != base_seed(1, "p") != base_seed(0, "q")
    assert base_seed(7, "gsm8k/0001") == 1263058810613792768  # stored sets were drawn from it
