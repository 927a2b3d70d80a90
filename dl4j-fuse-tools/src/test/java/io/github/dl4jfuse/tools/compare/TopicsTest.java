package io.github.dl4jfuse.tools.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TopicsTest {

    private static final int TEXTS = 5_000;

    /** A word that is first in the topic's order comes from it in a quarter of the words, times its share there. */
    @Test
    void wordsComeFromTopicAndLanguageByTheirShares() {
        Random random = new Random(2);
        Topics topics = new Topics(random);
        double all = IntStream.range(0, Topics.WORDS)
                .mapToDouble(rank -> 1 / (rank + Topics.OFFSET))
                .sum();
        int[] ofTopic = topics.words(4);
        int[] counts = new int[Topics.WORDS];
        for (int i = 0; i < TEXTS; i++) {
            for (int word : topics.text(4, random)) {
                counts[word]++;
            }
        }
        double words = (double) TEXTS * Topics.LENGTH;
        double share = (Topics.LEAST + Topics.MOST) / 2;
        double language = 1 - share - Topics.OTHER;
        for (int rank : new int[] {0, 1, 2}) {
            double fromTopic = share / (rank + Topics.OFFSET) / all;
            double inLanguage = language / (ofTopic[rank] + Topics.OFFSET) / all;
            assertThat(counts[ofTopic[rank]] / words)
                    .as("rank %d", rank)
                    .isCloseTo(fromTopic + inLanguage, within(2e-3));
        }
        assertThat(counts[0] / words).isCloseTo(language / Topics.OFFSET / all, within(4e-3));
        assertThat(ofTopic).doesNotHaveDuplicates().hasSize(Topics.WORDS);
        assertThat(topics.words(5)).isNotEqualTo(ofTopic);
    }

    /** As the description says; the unknown share is integrated over seven values, the other topic over all nine. */
    @Test
    void theModelsOwnProbabilitiesFind83Percent() {
        Random random = new Random(77);
        Topics topics = new Topics(random);
        double[] language = IntStream.range(0, Topics.WORDS)
                .mapToDouble(rank -> 1 / (rank + Topics.OFFSET))
                .toArray();
        double all = Arrays.stream(language).sum();
        double[][] ofTopic = new double[Topics.TOPICS][Topics.WORDS];
        for (int topic = 0; topic < Topics.TOPICS; topic++) {
            int[] words = topics.words(topic);
            for (int rank = 0; rank < Topics.WORDS; rank++) {
                ofTopic[topic][words[rank]] = language[rank] / all;
            }
        }
        int found = 0;
        int texts = 1_000;
        for (int i = 0; i < texts; i++) {
            int topic = random.nextInt(Topics.TOPICS);
            int[] text = topics.text(topic, random);
            double[] probabilities = IntStream.range(0, Topics.TOPICS)
                    .mapToDouble(guess -> probability(text, guess, ofTopic, language, all))
                    .toArray();
            double best = Arrays.stream(probabilities).max().orElseThrow();
            found += probabilities[topic] == best ? 1 : 0;
        }
        assertThat((double) found / texts).isCloseTo(0.83, within(0.03));
    }

    private static double probability(int[] text, int guess, double[][] ofTopic, double[] language, double all) {
        double sum = 0;
        for (int other = 0; other < Topics.TOPICS; other++) {
            for (int step = 0; other != guess && step < 7; step++) {
                double share = Topics.LEAST + (Topics.MOST - Topics.LEAST) * (step + 0.5) / 7;
                double product = 1;
                for (int word : text) {
                    double common = language[word] / all;
                    double likely = share * ofTopic[guess][word]
                            + Topics.OTHER * ofTopic[other][word]
                            + (1 - share - Topics.OTHER) * common;
                    product *= likely / common; // by the language's, or it would vanish
                }
                sum += product;
            }
        }
        return sum;
    }

    @Test
    void textsAreMadeFromTheirSeed() {
        Workload.Split one = Topics.split(false);
        assertThat(Topics.split(false).train().iterator(50).next())
                .isEqualTo(one.train().iterator(50).next());
        assertThat(one.train().iterator(50).next().getFeatures().shape()).containsExactly(50, 1, Topics.LENGTH);
        assertThat(one.train().size()).isEqualTo(2_000);
        assertThat(Topics.split(true).train().size()).isEqualTo(Topics.TRAIN);
    }
}
