from tasks.engines.seeds import base_seed


def test_samples_of_a_million_have_seeds_of_their_own() -> None:
    bases = {base_seed(seed, f"problem {number}") for seed in range(3) for number in range(2_000)}
    assert len(bases) == 6_000
    assert all(one % 2**20 == 0 and one >= 0 and one + 2**20 - 1 < 2**63 for one in bases)


def test_a_base_stays_what_it_is() -> None:
    assert base_seed(0, "p") != base_seed(1, "p") != base_seed(0, "q")
    assert base_seed(7, "gsm8k/0001") == 1263058810613792768  # stored sets were drawn from it
