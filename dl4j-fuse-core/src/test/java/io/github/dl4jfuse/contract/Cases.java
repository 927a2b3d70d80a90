package io.github.dl4jfuse.contract;

import io.github.dl4jfuse.contract.Contestant.Batches;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;

/** Which cases are run. */
final class Cases {

    private Cases() {}

    /**
     * All trainings, every pair of network and companion with the rest drawn, Gauss-Newton beside every companion, and the examples of
     * the gaps.
     *
     * @param seed what is drawn
     */
    static List<Case> all(long seed) {
        Map<String, Case> all = new LinkedHashMap<>();
        for (Network network : Catalogue.all()) {
            for (Contestant contestant : Contestant.ours()) {
                if (!contestant.suits(network)) {
                    continue;
                }
                put(all, training(network, contestant, Batches.MANY));
                if (contestant.stepsOnOneBatch()) {
                    put(all, training(network, contestant, Batches.ONE));
                }
            }
        }
        Random random = new Random(seed);
        for (Network network : Catalogue.all()) {
            for (Companion companion : Companions.all()) {
                for (int attempt = 0; attempt < 100; attempt++) {
                    Case drawn = draw(network, companion, random);
                    if (companion.suits(drawn)) {
                        put(all, drawn);
                        break;
                    }
                }
            }
        }
        for (Companion companion : Companions.all()) {
            Network network = Catalogue.all().get(random.nextInt(Catalogue.all().size()));
            Contestant contestant = random.nextInt(3) == 0 ? Contestant.GAUSS_NEWTON_ALONE : Contestant.GAUSS_NEWTON;
            Case drawn = new Case(
                    network,
                    contestant,
                    companion,
                    Batches.values()[random.nextInt(2)],
                    network.forms().get(random.nextInt(network.forms().size())));
            if (companion.suits(drawn) && contestant.suits(network)) {
                put(all, drawn);
            }
        }
        Gaps.all().forEach(gap -> put(all, named(gap.example())));
        return List.copyOf(all.values());
    }

    /** The cases of every so many-th network, since those of one network share Adam's runs. */
    static List<Case> part(List<Case> cases, int part, int parts) {
        return cases.stream()
                .filter(subject -> Catalogue.all().indexOf(subject.network()) % parts == part - 1)
                .toList();
    }

    /** One case of each network, one of each companion and one of each updater, drawn by the seed. */
    static List<Case> sample(long seed) {
        List<Case> all = new ArrayList<>(all(seed));
        Collections.shuffle(all, new Random(seed));
        Map<String, Case> sample = new LinkedHashMap<>();
        List<Function<Case, String>> kinds = List.of(
                subject -> "network " + subject.network(),
                subject -> "companion " + subject.companion().name(),
                subject -> "updater " + subject.contestant() + " " + subject.batches());
        for (Function<Case, String> kind : kinds) {
            all.forEach(subject -> sample.putIfAbsent(kind.apply(subject), subject));
        }
        return sample.values().stream().distinct().toList();
    }

    static Case training(Network network, Contestant contestant, Batches batches) {
        return new Case(
                network,
                contestant,
                Companions.TRAINING,
                batches,
                network.forms().get(0));
    }

    private static Case draw(Network network, Companion companion, Random random) {
        List<Contestant> contestants = Contestant.ours().stream()
                .filter(c -> !c.isOfGaussNewton() && (c.hasListener() || random.nextInt(3) == 0))
                .toList();
        return new Case(
                network,
                contestants.get(random.nextInt(contestants.size())),
                companion,
                Batches.values()[random.nextInt(2)],
                network.forms().get(random.nextInt(network.forms().size())));
    }

    private static void put(Map<String, Case> all, Case added) {
        all.putIfAbsent(added.name(), added);
    }

    /** Finds the case of a name. */
    static Case named(String name) {
        String[] parts = name.split("/");
        if (parts.length != 5) {
            throw new IllegalArgumentException("A case is network/updater/companion/batches/form, not " + name + ".");
        }
        Network network = Catalogue.named(parts[0]);
        return new Case(
                network,
                one(List.of(Contestant.values()), parts[1]),
                Companions.all().stream()
                        .filter(companion -> companion.name().equals(parts[2]))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException("There is no companion " + parts[2] + ".")),
                one(List.of(Batches.values()), parts[3]),
                one(network.forms(), parts[4]));
    }

    private static <T> T one(List<T> all, String name) {
        return all.stream()
                .filter(element -> element.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(name + " is none of " + all + "."));
    }
}
